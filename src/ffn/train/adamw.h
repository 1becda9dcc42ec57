// AdamW over a parameter arena.
#pragma once

#include <cstdint>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
};

// With g the arena's gradient times `gradient_scale`, t the number of steps so far:
//   m = β1·m + (1−β1)·g,  v = β2·v + (1−β2)·g²
//   w −= lr·(wd·w + (m/(1−β1ᵗ)) / (√(v/(1−β2ᵗ)) + eps));  wd = 0 for weights outside the decay
//   group
// Two passes over memory, one per decay group; the bf16 shadow is rounded in the same pass. Moments
// are f32 (f64 on the reference device): 8·elements bytes, Tag::optimizer.
// Source: Loshchilov & Hutter, Decoupled Weight Decay Regularization, 2019.
class AdamW {
 public:
  // Throws Error{config} unless `parameters` is finalized with gradients.
  AdamW(Executor& executor, ParameterSet& parameters, const AdamWOptions& options);

  AdamWOptions& options() { return options_; }
  std::int64_t steps() const { return steps_; }
  void step(double gradient_scale = 1.0);

  const Tensor& first_moment() const { return first_moment_; }    // [1, elements]
  const Tensor& second_moment() const { return second_moment_; }  // [1, elements]
  // A trainable parameter's part of them, of its shape: what a checkpoint stores by name.
  Tensor first_moment(const Parameter& parameter) const;
  Tensor second_moment(const Parameter& parameter) const;
  // Of a resumed run, whose moments were written through the views above.
  void set_steps(std::int64_t steps);

 private:
  Tensor moment_of(const Tensor& moment, const Parameter& parameter) const;
  void update_range(std::int64_t begin, std::int64_t end, double weight_decay, double scale);

  Executor& executor_;
  ParameterSet& parameters_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
  Tensor first_moment_, second_moment_;
};

}  // namespace ffn::inline v0
