#include "ffn/train/adamw.h"

#include <cmath>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

AdamW::AdamW(Executor& executor, ParameterSet& parameters, const AdamWOptions& options)
    : executor_(executor), parameters_(parameters), options_(options) {
  check(parameters.finalized() && parameters.gradients().defined(), ErrorKind::config, "adamw",
        "the parameters have no gradients yet: call finalize() first");
  const TensorSpec flat{{1, parameters.elements()}, parameters.weights().dtype(), Role::parameter};
  for (Tensor* moment : {&first_moment_, &second_moment_}) {
    *moment = executor.allocate_persistent(flat, Tag::optimizer);
    if (executor.dry()) continue;
    executor.device().kernels->fill({executor.device().threads, nullptr, 0}, {moment->matrix(), 0});
  }
}

void AdamW::step(double gradient_scale) {
  parameters_.complete_gradients(executor_);
  ++steps_;
  if (!executor_.dry()) {
    const std::int64_t decayed = parameters_.decayed_elements();
    update_range(0, decayed, options_.weight_decay, gradient_scale);
    update_range(decayed, parameters_.elements(), 0, gradient_scale);
  }
  parameters_.weights_changed(executor_, true);
}

Tensor AdamW::moment_of(const Tensor& moment, const Parameter& parameter) const {
  check(parameter.trainable(), ErrorKind::config, "adamw", "'", parameter.name,
        "' is frozen: it has no moments");
  const Tensor& weights = parameters_.weights();
  const std::int64_t offset = parameter.master.offset_bytes() - weights.offset_bytes();
  const TensorSpec spec{parameter.shape, moment.dtype(), Role::parameter};
  return {moment.storage(), spec, moment.offset_bytes() + offset, parameter.shape.cols()};
}

Tensor AdamW::first_moment(const Parameter& parameter) const {
  return moment_of(first_moment_, parameter);
}

Tensor AdamW::second_moment(const Parameter& parameter) const {
  return moment_of(second_moment_, parameter);
}

void AdamW::set_steps(std::int64_t steps) {
  check(steps >= 0, ErrorKind::config, "adamw", steps, " steps, expected at least 0");
  steps_ = steps;
}

void AdamW::update_range(std::int64_t begin, std::int64_t end, double weight_decay, double scale) {
  const auto part = [&](const Tensor& flat) {
    return flat.defined() ? flat.slice_cols(begin, end - begin).matrix() : kernels::Matrix{};
  };
  kernels::AdamWArgs args;
  args.weight = part(parameters_.weights());
  args.first_moment = part(first_moment_);
  args.second_moment = part(second_moment_);
  args.gradient = part(parameters_.gradients());
  args.shadow = part(parameters_.shadow());
  args.learning_rate = options_.learning_rate;
  args.beta1 = options_.beta1;
  args.beta2 = options_.beta2;
  args.eps = options_.eps;
  args.weight_decay = weight_decay;
  args.correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
  args.correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps_));
  args.gradient_scale = scale;
  executor_.device().kernels->adamw({executor_.device().threads, nullptr, 0}, args);
}

}  // namespace ffn::inline v0
