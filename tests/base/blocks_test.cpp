#include "ffn/base/blocks.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/half.h"
#include "ffn/base/philox.h"

namespace ffn {
namespace {

constexpr double kEps = std::numeric_limits<float>::epsilon();
constexpr int kBlock = 32;

// One block taken apart by the format's description alone.
struct Parts {
  double scale;
  std::array<int, kBlock> steps;  // signed: q − 8 or q
};
Parts take_apart(DType dtype, const std::byte* block) {
  const auto byte = [&](int i) { return std::to_integer<unsigned>(block[i]); };
  Parts parts{to_float(F16{static_cast<std::uint16_t>(byte(0) | (byte(1) << 8))}), {}};
  for (std::size_t j = 0; j < kBlock; ++j) {
    const int i = static_cast<int>(j);
    if (dtype == DType::q8_0) {
      const int value = static_cast<int>(byte(2 + i));
      parts.steps[j] = value < 128 ? value : value - 256;
    } else {
      const unsigned pair = byte(2 + i % 16);
      parts.steps[j] = static_cast<int>(i < 16 ? pair % 16 : pair / 16) - 8;
    }
  }
  return parts;
}

std::vector<float> random_row(std::uint64_t seed, int count, double scale) {
  const RandomStream stream(seed, "blocks");
  std::vector<float> x(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(scale * stream.normal(0, i));
  return x;
}

std::vector<std::byte> quantize(DType dtype, const std::vector<float>& x) {
  const auto count = static_cast<std::int64_t>(x.size());
  std::vector<std::byte> bytes(static_cast<std::size_t>(dtype_bytes(dtype, count)));
  quantize_row(dtype, x.data(), count, bytes.data());
  return bytes;
}

TEST(Blocks, KnownBytes) {
  // d = −8/−8 = 1, so q − 8 is the value itself; 7.4 rounds down, 6.5 up, +8 saturates at 7.
  std::vector<float> x(kBlock, 0.0f);
  x[0] = -8, x[1] = 7.4f, x[2] = 6.5f, x[16] = -1, x[17] = 1, x[31] = 8;
  const std::vector<std::byte> q4 = quantize(DType::q4_0, x);
  const unsigned expected4[18] = {0x00, 0x3c, 0x70, 0x9f, 0x8f, 0x88, 0x88, 0x88, 0x88,
                                  0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0x88, 0xf8};
  for (std::size_t i = 0; i < 18; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(q4[i]), expected4[i]) << i;

  // d = 127/127 = 1: the value itself, halves away from zero.
  std::vector<float> y(kBlock, 0.0f);
  y[0] = 127, y[1] = -127, y[2] = 2.5f, y[3] = -2.5f, y[4] = 2.25f, y[31] = -1;
  const std::vector<std::byte> q8 = quantize(DType::q8_0, y);
  const unsigned expected8[8] = {0x00, 0x3c, 0x7f, 0x81, 0x03, 0xfd, 0x02, 0x00};
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(q8[i]), expected8[i]) << i;
  EXPECT_EQ(std::to_integer<unsigned>(q8[33]), 0xffu);
}

TEST(Blocks, EveryByteDequantizesToScaleTimesStep) {
  for (const DType dtype : {DType::q4_0, DType::q8_0}) {
    for (int value = 0; value < 256; ++value) {
      for (const float scale : {1.0f, -0.3f, 1e-6f, 65504.0f}) {
        // One byte off any alignment, as in a mapped file.
        std::vector<std::byte> storage(35, static_cast<std::byte>(value));
        const F16 half = to_f16(scale);
        std::memcpy(storage.data() + 1, &half, 2);
        std::array<float, kBlock> x{};
        dequantize_row(dtype, storage.data() + 1, kBlock, x.data());
        const Parts parts = take_apart(dtype, storage.data() + 1);
        for (std::size_t j = 0; j < kBlock; ++j) {
          // 11 + 8 bits: the product is exact in f32.
          ASSERT_EQ(static_cast<double>(x[j]), parts.scale * parts.steps[j]) << value;
        }
      }
    }
  }
}

// Nothing in the format is closer: for every element no other step of the f32 scale beats the
// chosen.
TEST(Blocks, QuantizedStepsAreNearest) {
  for (const DType dtype : {DType::q4_0, DType::q8_0}) {
    const std::vector<float> x = random_row(3, 64 * kBlock, 0.02);
    const std::vector<std::byte> bytes = quantize(dtype, x);
    const int lowest = dtype == DType::q4_0 ? -8 : -127, highest = dtype == DType::q4_0 ? 7 : 127;
    for (std::size_t b = 0; b < 64; ++b) {
      const float* block = x.data() + b * kBlock;
      float extreme = 0;
      for (std::size_t j = 0; j < kBlock; ++j) {
        if (std::fabs(block[j]) > std::fabs(extreme)) extreme = block[j];
      }
      const double d = dtype == DType::q4_0 ? extreme / -8.0 : std::fabs(extreme) / 127.0;
      const Parts parts = take_apart(
          dtype, bytes.data() + b * static_cast<std::size_t>(dtype_bytes(dtype, kBlock)));
      ASSERT_EQ(parts.scale, to_float(to_f16(static_cast<float>(d))));
      for (std::size_t j = 0; j < kBlock; ++j) {
        double best = std::numeric_limits<double>::infinity();
        for (int step = lowest; step <= highest; ++step) {
          best = std::min(best, std::fabs(block[j] - d * step));
        }
        // d, 1/d and x·(1/d) round once each and + 8.5 once: the decision moves by at most 3 half
        // ulps of |steps| ≤ 127, and half an ulp of 16.5 < 127.
        const double slack = 2 * std::fabs(d) * 127 * 2 * kEps;
        ASSERT_LE(std::fabs(block[j] - d * parts.steps[j]), best + slack);
      }
    }
  }
}

TEST(Blocks, ErrorBoundAcrossMagnitudes) {
  for (const DType dtype : {DType::q4_0, DType::q8_0}) {
    for (const double scale : {1e-9, 1e-6, 1e-4, 1e-2, 1.0, 1e4}) {
      const std::vector<float> x = random_row(4, 16 * kBlock, scale);
      const std::vector<std::byte> bytes = quantize(dtype, x);
      std::vector<float> back(x.size());
      dequantize_row(dtype, bytes.data(), static_cast<std::int64_t>(x.size()), back.data());
      for (std::size_t b = 0; b < x.size(); b += kBlock) {
        double largest = 0;
        for (std::size_t j = b; j < b + kBlock; ++j)
          largest = std::max(largest, std::fabs(1.0 * x[j]));
        const double steps = dtype == DType::q4_0 ? 8 : 127;
        const double d = largest / steps;
        // f16 rounds the scale by half an ulp: 2^-11 relative, or 2^-25 below its normal range.
        const double scale_error = steps * std::max(d * 0x1p-11, 0x1p-25);
        for (std::size_t j = b; j < b + kBlock; ++j) {
          // A q4_0 element opposite the extreme saturates one step short of 8.
          const bool saturates = dtype == DType::q4_0 && std::fabs(x[j]) > 7.5 * d * (1 - 4 * kEps);
          const double bound = d * (saturates ? 1.0 : 0.5) + scale_error + 4 * kEps * largest;
          ASSERT_LE(std::fabs(1.0 * back[j] - x[j]), bound) << to_string(dtype) << " " << scale;
        }
      }
    }
  }
}

TEST(Blocks, ZeroAndVanishingBlocksReadBackAsZero) {
  // 1e-40 / 127 is subnormal in f32 and 0 in f16; its reciprocal overflows.
  for (const float value : {0.0f, 1e-40f, -1e-9f}) {
    for (const DType dtype : {DType::q4_0, DType::q8_0}) {
      const std::vector<std::byte> bytes = quantize(dtype, std::vector<float>(kBlock, value));
      const Parts parts = take_apart(dtype, bytes.data());
      EXPECT_EQ(parts.scale, 0.0);
      for (const int step : parts.steps) EXPECT_EQ(step, 0) << value;
      std::array<float, kBlock> back;
      back.fill(1);
      dequantize_row(dtype, bytes.data(), kBlock, back.data());
      for (const float x : back) EXPECT_EQ(x, 0.0f) << value;
    }
  }
}

template <class Call>
void expect_error(ErrorKind kind, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
  }
}

TEST(Blocks, RefusesWhatItCannotRepresent) {
  std::vector<float> x(kBlock, 1.0f);
  std::vector<std::byte> bytes(34);
  expect_error(ErrorKind::dtype, [&] { quantize_row(DType::f16, x.data(), 32, bytes.data()); });
  expect_error(ErrorKind::dtype, [&] { dequantize_row(DType::i8, bytes.data(), 32, x.data()); });
  for (const DType dtype : {DType::q4_1, DType::q5_0, DType::q4_k, DType::q6_k})
    expect_error(ErrorKind::dtype, [&] { quantize_row(dtype, x.data(), 0, bytes.data()); });
  for (const DType dtype : {DType::q4_k, DType::q6_k})
    expect_error(ErrorKind::shape, [&] { dequantize_row(dtype, bytes.data(), 32, x.data()); });
  for (const std::int64_t count : {31, 33, -32}) {
    expect_error(ErrorKind::shape,
                 [&] { quantize_row(DType::q4_0, x.data(), count, bytes.data()); });
    expect_error(ErrorKind::shape,
                 [&] { dequantize_row(DType::q8_0, bytes.data(), count, x.data()); });
  }
  EXPECT_NO_THROW(quantize_row(DType::q4_0, x.data(), 0, bytes.data()));
  for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
    x[7] = bad;
    expect_error(ErrorKind::dtype, [&] { quantize_row(DType::q4_0, x.data(), 32, bytes.data()); });
    expect_error(ErrorKind::dtype, [&] { quantize_row(DType::q8_0, x.data(), 32, bytes.data()); });
  }
}

}  // namespace
}  // namespace ffn
