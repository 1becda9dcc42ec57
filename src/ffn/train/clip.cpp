#include "ffn/train/clip.h"

#include <cmath>
#include <sstream>

#include "ffn/base/error.h"
#include "ffn/base/event_sink.h"
#include "ffn/base/faults.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

GradientClip::GradientClip(Executor& executor, ParameterSet& parameters, double max_norm)
    : executor_(executor), parameters_(parameters), max_norm_(max_norm) {
  check(parameters.finalized() && parameters.gradients().defined(), ErrorKind::config, "clip",
        "the parameters have no gradients yet: call finalize() first");
  check(std::isfinite(max_norm) && max_norm >= 0, ErrorKind::config, "clip", "max_norm is ",
        max_norm, ", expected a finite number of at least 0");
  sum_ = executor.allocate_persistent({{1, 1}, DType::f64, Role::activation}, Tag::optimizer);
  const std::int64_t bytes =
      executor.device().kernels->sum_squares_workspace(1, parameters.elements());
  if (bytes > 0)
    workspace_ =
        executor.allocate_persistent({{1, bytes}, DType::u8, Role::activation}, Tag::optimizer);
}

GradientNorm GradientClip::measure(double scale) {
  parameters_.complete_gradients(executor_);
  GradientNorm result;
  result.scale = scale;
  if (executor_.dry()) return result;
  const Device& device = executor_.device();
  const kernels::LaunchContext launch{device.threads,
                                      workspace_.defined() ? workspace_.data() : nullptr,
                                      workspace_.defined() ? workspace_.cols() : 0};
  device.kernels->sum_squares(launch, {parameters_.gradients().matrix(), sum_.matrix()});
  result.norm = std::abs(scale) * std::sqrt(host_values(sum_)[0]);
  result.finite = std::isfinite(result.norm);
  if (!result.finite) {
    result.scale = 0;
    return result;
  }
  result.clipped = max_norm_ > 0 && (result.norm > max_norm_ || fault(612));
  if (result.clipped) result.scale = scale * (max_norm_ / result.norm);
  return result;
}

GradientNorm GradientClip::step(AdamW& optimizer, double scale) {
  const GradientNorm result = measure(scale);
  if (result.finite) {
    optimizer.step(result.scale);
    return result;
  }
  ++skipped_;
  std::ostringstream text;
  text << "the gradient's norm is " << result.norm << " after " << optimizer.steps()
       << " steps: this step is skipped (" << skipped_ << " so far)";
  emit(Severity::warning, "clip", text.str());
  return result;
}

}  // namespace ffn::inline v0
