// One step of training, whatever the loss: forward, backward, clip, AdamW.
#pragma once

#include <cstdint>
#include <functional>

#include "ffn/train/adamw.h"
#include "ffn/train/clip.h"

namespace ffn::inline v0 {

struct StepOptions {
  double weight_decay = 0.05;
  double max_norm = 0;  // of the gradient; 0: not clipped
};

struct StepResult {
  double loss = 0;
  GradientNorm gradient;  // not finite: the step was skipped
};

class OptimizerStep {
 public:
  // On finalized parameters with gradients, which must outlive this. Allocates the moments.
  OptimizerStep(Executor& ex, ParameterSet& parameters, const StepOptions& options);

  // `loss` is a [1, 1] value, recorded. Steps count from 0; `step` keys random streams.
  StepResult run(std::int64_t step, double learning_rate, const std::function<Value()>& loss);

  AdamW& optimizer() { return optimizer_; }
  GradientClip& clip() { return clip_; }

 private:
  Executor& ex_;
  ParameterSet& parameters_;
  AdamW optimizer_;
  GradientClip clip_;
};

}  // namespace ffn::inline v0
