#include "ffn/train/classifier_session.h"

#include "ffn/autograd/initialize.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

ParameterSet& ClassifierSession::finalized(Executor& ex, ParameterSet& parameters,
                                           const SessionOptions& options) {
  parameters.finalize(ex, options.dtype);
  initialize_all(ex, parameters, options.seed);
  return parameters;
}

ClassifierSession::ClassifierSession(Executor& ex, const VitConfig& config,
                                     const SessionOptions& options, const DesignRegistry& designs)
    : ex_(ex),
      model_(config, parameters_, options.seed, designs),
      optimizer_(ex, finalized(ex, parameters_, options), {.weight_decay = options.weight_decay}),
      clip_(ex, parameters_, options.max_norm) {}

Value ClassifierSession::loss(const ClassifierBatch& batch) {
  Value logits = model_.logits(ex_, ex_.constant(batch.images));
  if (logits.dtype() == DType::bf16) logits = cast(ex_, std::move(logits), DType::f32);
  return batch.targets.defined() ? soft_cross_entropy(ex_, std::move(logits), batch.targets)
                                 : cross_entropy(ex_, std::move(logits), batch.labels);
}

StepResult ClassifierSession::step(const ClassifierBatch& batch, std::int64_t step,
                                   double learning_rate) {
  StepResult result;
  ex_.set_step(static_cast<std::uint64_t>(step));
  optimizer_.options().learning_rate = learning_rate;
  parameters_.reset_gradients();
  const StepScope scope(ex_);
  const Value loss_value = loss(batch);
  ex_.backward(loss_value);
  if (!ex_.dry()) result.loss = host_values(loss_value.tensor)[0];
  result.gradient = clip_.step(optimizer_);
  return result;
}

Tensor ClassifierSession::logits(const Tensor& images) {
  const EvalScope scope(ex_);
  Value logits = model_.logits(ex_, ex_.constant(images));
  if (logits.dtype() == DType::bf16) logits = cast(ex_, std::move(logits), DType::f32);
  return logits.tensor;
}

}  // namespace ffn::inline v0
