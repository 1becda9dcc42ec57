#include "ffn/train/schedule.h"

#include <cmath>
#include <numbers>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

void check_schedule(const ScheduleOptions& o) {
  check(std::isfinite(o.lr) && o.lr >= 0, ErrorKind::config, "schedule", "lr is ", o.lr,
        ", expected a finite number of at least 0");
  check(o.warmup_lr >= 0 && o.warmup_lr <= o.lr, ErrorKind::config, "schedule", "warmup_lr is ",
        o.warmup_lr, ", expected 0 to lr = ", o.lr);
  check(o.min_lr >= 0 && o.min_lr <= o.lr, ErrorKind::config, "schedule", "min_lr is ", o.min_lr,
        ", expected 0 to lr = ", o.lr);
  check(o.total_steps >= 1, ErrorKind::config, "schedule", "total_steps is ", o.total_steps,
        ", expected at least 1");
  check(o.warmup_steps >= 0 && o.warmup_steps <= o.total_steps, ErrorKind::config, "schedule",
        "warmup_steps is ", o.warmup_steps, ", expected 0 to total_steps = ", o.total_steps);
}

double learning_rate(const ScheduleOptions& o, std::int64_t step) {
  if (step < o.warmup_steps) {
    const double part = static_cast<double>(step) / static_cast<double>(o.warmup_steps);
    return o.warmup_lr + (o.lr - o.warmup_lr) * part;
  }
  if (step >= o.total_steps) return o.min_lr;
  const double part = static_cast<double>(step - o.warmup_steps) /
                      static_cast<double>(o.total_steps - o.warmup_steps);
  return o.min_lr + (o.lr - o.min_lr) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace ffn::inline v0
