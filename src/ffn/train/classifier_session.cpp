#include "ffn/train/classifier_session.h"

#include <utility>

#include "ffn/ops/cross_entropy.h"

namespace ffn::inline v0 {

ClassifierSession::ClassifierSession(Executor& ex, const VitConfig& config,
                                     const SessionOptions& options, const DesignRegistry& designs)
    : ex_(ex),
      classifier_(ex, config, {.dtype = options.dtype, .seed = options.seed, .gradients = true},
                  designs),
      step_(ex, parameters(),
            {.weight_decay = options.weight_decay, .max_norm = options.max_norm}) {}

Value ClassifierSession::loss(const ClassifierBatch& batch) {
  Value logits = classifier_.forward(ex_.constant(batch.images));
  return batch.targets.defined() ? soft_cross_entropy(ex_, std::move(logits), batch.targets)
                                 : cross_entropy(ex_, std::move(logits), batch.labels);
}

StepResult ClassifierSession::step(const ClassifierBatch& batch, std::int64_t step,
                                   double learning_rate) {
  return step_.run(step, learning_rate, [&] { return loss(batch); });
}

}  // namespace ffn::inline v0
