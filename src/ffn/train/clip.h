// Clipping by the norm of the whole gradient, and the guard against gradients that are not finite.
#pragma once

#include <cstdint>

#include "ffn/autograd/parameters.h"
#include "ffn/train/adamw.h"

namespace ffn::inline v0 {

struct GradientNorm {
  double norm = 0;   // of the scaled gradient; NaN or ∞ when an element is
  double scale = 1;  // for AdamW::step(); 0 when not finite
  bool finite = true;
  bool clipped = false;
};

// norm = a·√Σ g² over the arena, with a the given scale (1/steps when gradients accumulate);
// scale = a·min(1, max_norm/norm). One pass over memory, in double, bitwise equal for any number of
// threads. Bytes: 64 and the workspace of sum_squares (elements/512), Tag::optimizer, for good.
// Source: Pascanu et al., On the difficulty of training recurrent neural networks, 2013.
class GradientClip {
 public:
  // max_norm 0 measures only. Throws Error{config} unless `parameters` has gradients and max_norm
  // is finite and at least 0.
  GradientClip(Executor& executor, ParameterSet& parameters, double max_norm);

  // After backward; completes the gradients first. On a dry device: norm 0.
  GradientNorm measure(double scale = 1.0);
  // measure(), then optimizer.step(scale). A gradient that is not finite changes nothing: the step
  // is skipped, counted, and a warning (event).
  GradientNorm step(AdamW& optimizer, double scale = 1.0);

  std::int64_t skipped() const { return skipped_; }
  void set_skipped(std::int64_t skipped) { skipped_ = skipped; }  // of a resumed run

 private:
  Executor& executor_;
  ParameterSet& parameters_;
  double max_norm_;
  Tensor sum_, workspace_;
  std::int64_t skipped_ = 0;
};

}  // namespace ffn::inline v0
