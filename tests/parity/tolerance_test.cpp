// The comparison itself must be able to fail.
#include <gtest/gtest-spi.h>

#include <cmath>

#include "case_run.h"

namespace ffn::parity {
namespace {

TEST(ParityTolerance, OneWrongElementIsNoticed) {
  static const Array expected{{3}, false, {100, 1, 2}};
  static const std::vector<double> close{100, 1 + 0.9e-10, 2}, off{100, 1 + 1.1e-10, 2},
      broken{100, std::nan(""), 2}, shorter{100, 1};
  expect_close(expected, close, 1e-12, "y");
  EXPECT_NONFATAL_FAILURE(expect_close(expected, off, 1e-12, "y"), "y[1]");
  EXPECT_NONFATAL_FAILURE(expect_close(expected, broken, 1e-12, "y"), "y[1]");
  EXPECT_FATAL_FAILURE(expect_close(expected, shorter, 1e-12, "y"), "y");
}

TEST(ParityTolerance, IntegersAreExactAndZerosAreRefused) {
  static const Array integers{{2}, true, {1, 2}}, zeros{{2}, false, {0, 0}};
  static const std::vector<double> same{1, 2}, other{1, 3}, nothing{0, 0};
  expect_close(integers, same, 1, "order");
  EXPECT_NONFATAL_FAILURE(expect_close(integers, other, 1, "order"), "order[1]");
  EXPECT_FATAL_FAILURE(expect_close(zeros, nothing, 1, "dx"), "all zero");
}

// f32_error is written by another program: a mistake there would loosen every f32 comparison at
// once. 2^-18 is 64 ulp, more than any case here may need: sums of at most 64 terms.
TEST(ParityTolerance, NoFixtureIsCoarse) {
  for (const auto& path : fixture_files("ops")) {
    const Fixture fixture(path);
    for (const auto& [key, array] : fixture.arrays()) {
      if (array.integer || key.starts_with("in.") || key == "seed") continue;
      EXPECT_LE(fixture.f32_error(key), 0x1p-18) << path << " " << key;
    }
  }
}

}  // namespace
}  // namespace ffn::parity
