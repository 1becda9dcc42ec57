#include "ffn/train/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "io/files.h"

namespace ffn {
namespace {

TEST(Schedule, HasItsValuesByHand) {
  const ScheduleOptions options{1.0, 0.2, 0.1, 4, 12};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate(options, 3), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 6), 0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2);  // a quarter
  EXPECT_DOUBLE_EQ(learning_rate(options, 8), 0.55);                                  // half way
  EXPECT_DOUBLE_EQ(learning_rate(options, 12), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(options, 1000), 0.1);
}

TEST(Schedule, RisesThenFallsBetweenItsBounds) {
  EXPECT_TRUE(rc::check([] {
    ScheduleOptions options;
    const auto number = [](int limit) { return *rc::gen::inRange(0, limit + 1) / 1000.0; };
    options.lr = number(1000);
    options.warmup_lr = options.lr * number(1000);
    options.min_lr = options.lr * number(1000);
    options.total_steps = *rc::gen::inRange(1, 400);
    options.warmup_steps = *rc::gen::inRange<std::int64_t>(0, options.total_steps + 1);
    check_schedule(options);
    double before = options.warmup_lr;
    for (std::int64_t step = 0; step < options.total_steps + 3; ++step) {
      const double lr = learning_rate(options, step);
      RC_ASSERT(lr >= std::min(options.warmup_lr, options.min_lr) &&
                lr <= options.lr * (1 + 1e-15));
      if (step > 0 && step < options.warmup_steps) RC_ASSERT(lr >= before);
      if (step > options.warmup_steps) RC_ASSERT(lr <= before);
      before = lr;
    }
    RC_ASSERT(before == options.min_lr);
  }));
}

TEST(Schedule, WhatCannotBeIsNamed) {
  const auto expect = [](const ScheduleOptions& options, std::string_view says) {
    testing_io::expect_error(ErrorKind::config, {says}, [&] { check_schedule(options); });
  };
  expect({-1, 0, 0, 0, 10}, "lr is -1");
  expect({NAN, 0, 0, 0, 10}, "lr is nan");
  expect({1, 2, 0, 0, 10}, "warmup_lr is 2, expected 0 to lr = 1");
  expect({1, 0, 2, 0, 10}, "min_lr is 2");
  expect({1, 0, 0, 11, 10}, "warmup_steps is 11, expected 0 to total_steps = 10");
  expect({1, 0, 0, 0, 0}, "total_steps is 0");
}

}  // namespace
}  // namespace ffn
