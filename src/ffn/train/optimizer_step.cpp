#include "ffn/train/optimizer_step.h"

#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

OptimizerStep::OptimizerStep(Executor& ex, ParameterSet& parameters, const StepOptions& options)
    : ex_(ex),
      parameters_(parameters),
      optimizer_(ex, parameters, {.weight_decay = options.weight_decay}),
      clip_(ex, parameters, options.max_norm) {}

StepResult OptimizerStep::run(std::int64_t step, double learning_rate,
                              const std::function<Value()>& loss) {
  StepResult result;
  ex_.set_step(static_cast<std::uint64_t>(step));
  optimizer_.options().learning_rate = learning_rate;
  parameters_.reset_gradients();
  const StepScope scope(ex_);
  const Value loss_value = loss();
  ex_.backward(loss_value);
  if (!ex_.dry()) result.loss = host_values(loss_value.tensor)[0];
  result.gradient = clip_.step(optimizer_);
  return result;
}

}  // namespace ffn::inline v0
