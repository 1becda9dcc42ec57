#include "ffn/train/classifier_session.h"

#include <utility>

#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

ClassifierSession::ClassifierSession(Executor& ex, const VitConfig& config,
                                     const SessionOptions& options, const DesignRegistry& designs)
    : ex_(ex),
      classifier_(ex, config, {.dtype = options.dtype, .seed = options.seed, .gradients = true},
                  designs),
      optimizer_(ex, parameters(), {.weight_decay = options.weight_decay}),
      clip_(ex, parameters(), options.max_norm) {}

Value ClassifierSession::loss(const ClassifierBatch& batch) {
  Value logits = classifier_.forward(ex_.constant(batch.images));
  return batch.targets.defined() ? soft_cross_entropy(ex_, std::move(logits), batch.targets)
                                 : cross_entropy(ex_, std::move(logits), batch.labels);
}

StepResult ClassifierSession::step(const ClassifierBatch& batch, std::int64_t step,
                                   double learning_rate) {
  StepResult result;
  ex_.set_step(static_cast<std::uint64_t>(step));
  optimizer_.options().learning_rate = learning_rate;
  parameters().reset_gradients();
  const StepScope scope(ex_);
  const Value loss_value = loss(batch);
  ex_.backward(loss_value);
  if (!ex_.dry()) result.loss = host_values(loss_value.tensor)[0];
  result.gradient = clip_.step(optimizer_);
  return result;
}

}  // namespace ffn::inline v0
