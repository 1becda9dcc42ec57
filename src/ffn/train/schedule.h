// Learning rates by step.
#pragma once

#include <cstdint>

namespace ffn::inline v0 {

struct ScheduleOptions {
  double lr = 1e-3;
  double warmup_lr = 1e-6, min_lr = 1e-5;
  std::int64_t warmup_steps = 0, total_steps = 1;
};

// Throws Error{config} for a rate that is negative or not finite, warmup_lr or min_lr above lr, or
// warmup_steps outside 0 … total_steps.
void check_schedule(const ScheduleOptions& options);

// Of step s = 0, 1, …; W warm-up steps, T steps in all:
//   s < W        warmup_lr + (lr − warmup_lr)·s/W
//   W ≤ s < T    min_lr + (lr − min_lr)·(1 + cos(π(s − W)/(T − W)))/2
//   s ≥ T        min_lr
// Source: Loshchilov & Hutter, SGDR, 2017, without restarts.
double learning_rate(const ScheduleOptions& options, std::int64_t step);

}  // namespace ffn::inline v0
