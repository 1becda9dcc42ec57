// The vector type of each instruction set against the scalar definitions of base/half.h and of C++.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "ffn/base/cpu_features.h"
#include "kernels_product/matrix.h"
#include "kernels_product/vec_probe.h"

namespace ffn::test {
namespace {

constexpr int kMostLanes = 16;

VecProbe probe_of(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2: return avx2::vec_probe();
    case Isa::avx512: return avx512::vec_probe();
    case Isa::avx512_bf16: return avx512_bf16::vec_probe();
#endif
    default: return scalar::vec_probe();
  }
}

class Vector : public testing::TestWithParam<Isa> {
 protected:
  const VecProbe probe_ = probe_of(GetParam());
  const std::size_t lanes_ = static_cast<std::size_t>(probe_.lanes);
};
INSTANTIATE_TEST_SUITE_P(Isas, Vector, testing::ValuesIn(supported_isas()), isa_name);

// A stride through all f32 bit patterns (an odd one, so that all low halves occur), and the
// neighbours of every bf16 rounding boundary.
TEST_P(Vector, RoundsToBf16) {
  std::vector<std::uint32_t> patterns;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 9973) {
    patterns.push_back(static_cast<std::uint32_t>(bits));
  }
  for (std::uint32_t upper = 0; upper < 0x10000; ++upper) {
    for (const std::uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      patterns.push_back(upper << 16 | lower);
    }
  }
  patterns.resize(patterns.size() / lanes_ * lanes_);
  for (std::size_t i = 0; i < patterns.size(); i += lanes_) {
    float in[kMostLanes];
    Bf16 out[kMostLanes];
    for (std::size_t j = 0; j < lanes_; ++j) in[j] = std::bit_cast<float>(patterns[i + j]);
    probe_.round_to_bf16(in, out);
    for (std::size_t j = 0; j < lanes_; ++j) {
      ASSERT_EQ(out[j].bits, to_bf16(in[j]).bits) << std::hex << patterns[i + j];
    }
  }
}

TEST_P(Vector, WidensHalves) {
  for (std::uint32_t first = 0; first < 0x10000; first += probe_.lanes) {
    Bf16 bf16[kMostLanes];
    F16 f16[kMostLanes];
    float from_bf16[kMostLanes], from_f16[kMostLanes];
    for (std::size_t j = 0; j < lanes_; ++j) {
      bf16[j].bits = f16[j].bits = static_cast<std::uint16_t>(first + j);
    }
    probe_.widen_bf16(bf16, from_bf16);
    probe_.widen_f16(f16, from_f16);
    for (std::size_t j = 0; j < lanes_; ++j) {
      const float f = to_float(f16[j]), one = probe_.set_f16(f16[j].bits);
      if (std::isnan(f)) {  // hardware sets the quiet bit
        ASSERT_TRUE(std::isnan(from_f16[j]) && std::isnan(one)) << f16[j].bits;
      } else {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(from_f16[j]), std::bit_cast<std::uint32_t>(f));
        ASSERT_EQ(std::bit_cast<std::uint32_t>(one), std::bit_cast<std::uint32_t>(f));
      }
      ASSERT_EQ(std::bit_cast<std::uint32_t>(from_bf16[j]), std::uint32_t{bf16[j].bits} << 16);
    }
  }
}

// Sources end where the lanes end (the sanitizers watch), targets keep what lies beyond.
TEST_P(Vector, PartialAccess) {
  for (std::size_t n = 0; n <= lanes_; ++n) {
    std::vector<float> source(n), full(lanes_, 0.5f);
    std::vector<Bf16> halves(n);
    for (std::size_t i = 0; i < n; ++i) {
      source[i] = static_cast<float>(i + 1);
      halves[i] = to_bf16(source[i]);
    }
    const std::int64_t count = static_cast<std::int64_t>(n);
    float wide[kMostLanes], wide_bf16[kMostLanes];
    probe_.load_n(source.data(), count, wide);
    probe_.load_n_bf16(halves.data(), count, wide_bf16);
    std::vector<float> target(n);
    std::vector<Bf16> target_bf16(n);
    probe_.store_n(full.data(), count, target.data());
    probe_.store_n_bf16(full.data(), count, target_bf16.data());
    float kept[kMostLanes];
    Bf16 kept_bf16[kMostLanes];
    std::fill_n(kept, kMostLanes, -7.0f);
    std::fill_n(kept_bf16, kMostLanes, Bf16{0x1234});
    probe_.store_n(full.data(), count, kept);
    probe_.store_n_bf16(full.data(), count, kept_bf16);
    for (std::size_t i = 0; i < lanes_; ++i) {
      EXPECT_EQ(wide[i], i < n ? source[i] : 0.0f) << i << " of " << n;
      EXPECT_EQ(wide_bf16[i], i < n ? source[i] : 0.0f) << i << " of " << n;
      EXPECT_EQ(kept[i], i < n ? 0.5f : -7.0f) << i << " of " << n;
      EXPECT_EQ(kept_bf16[i].bits, i < n ? to_bf16(0.5f).bits : 0x1234) << i << " of " << n;
    }
    EXPECT_EQ(target, std::vector<float>(n, 0.5f));
  }
}

// Products of small integers and their sums are exact in any order.
TEST_P(Vector, PairsAreMultipliedAndAdded) {
  std::vector<Bf16> a(2 * lanes_), b(2 * lanes_);
  std::vector<float> sum(lanes_), out(lanes_);
  for (std::size_t i = 0; i < 2 * lanes_; ++i) {
    a[i] = to_bf16(static_cast<float>(i) - 9);
    b[i] = to_bf16(i % 3 == 0 ? -5 : static_cast<float>(i));
  }
  for (std::size_t i = 0; i < lanes_; ++i) sum[i] = 0.5f * static_cast<float>(i);
  probe_.dot_pairs(a.data(), b.data(), sum.data(), out.data());
  for (std::size_t i = 0; i < lanes_; ++i) {
    const auto product = [&](std::size_t at) { return to_float(a[at]) * to_float(b[at]); };
    EXPECT_EQ(out[i], sum[i] + product(2 * i) + product(2 * i + 1)) << i;
  }
}

TEST_P(Vector, PairsFromRows) {
  std::vector<Bf16> first(lanes_), second(lanes_), out(2 * lanes_);
  for (std::size_t i = 0; i < lanes_; ++i) {
    first[i] = to_bf16(static_cast<float>(i) + 1);
    second[i] = to_bf16(-static_cast<float>(i) - 1);
  }
  probe_.pair_up(first.data(), second.data(), out.data());
  for (std::size_t i = 0; i < lanes_; ++i) {
    EXPECT_EQ(out[2 * i].bits, first[i].bits) << i;
    EXPECT_EQ(out[2 * i + 1].bits, second[i].bits) << i;
  }
  for (std::size_t n = 0; n <= lanes_; ++n) {
    const std::vector<Bf16> source(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n));
    probe_.load_pairs_n(source.data(), static_cast<std::int64_t>(n), out.data());
    for (std::size_t i = 0; i < 2 * lanes_; ++i)
      EXPECT_EQ(out[i].bits, i < n ? first[i].bits : 0) << i << " of " << n;
  }
}

TEST_P(Vector, Transpose) {
  std::vector<float> in(lanes_ * lanes_), out(in.size());
  std::iota(in.begin(), in.end(), 0.0f);
  probe_.transpose(in.data(), out.data());
  for (std::size_t r = 0; r < lanes_; ++r) {
    for (std::size_t c = 0; c < lanes_; ++c) EXPECT_EQ(out[r * lanes_ + c], in[c * lanes_ + r]);
  }
}

TEST_P(Vector, PowersOfTwo) {
  for (int n = -126; n <= 127; ++n) {
    float in[kMostLanes], out[kMostLanes];
    std::fill_n(in, kMostLanes, static_cast<float>(n));
    probe_.pow2i(in, out);
    EXPECT_EQ(out[lanes_ - 1], std::ldexp(1.0f, n));
  }
}

TEST_P(Vector, RoundsToTheNearestInteger) {
  const float values[] = {0.5f,        1.5f,       2.5f,           -0.5f,        -1.5f,
                          0.49999997f, 8388607.5f, -2147483648.0f, 2147483520.0f};
  for (const float value : values) {
    float in[kMostLanes];
    std::int32_t out[kMostLanes];
    std::fill_n(in, kMostLanes, value);
    probe_.to_int(in, out);
    EXPECT_EQ(out[lanes_ - 1],
              static_cast<std::int32_t>(std::nearbyint(static_cast<double>(value))));
  }
}

// Each lane matters once: powers of two add up to all ones, and the maximum is found in every
// place.
TEST_P(Vector, Reductions) {
  float in[kMostLanes];
  for (std::size_t i = 0; i < lanes_; ++i) in[i] = std::ldexp(1.0f, static_cast<int>(i));
  EXPECT_EQ(probe_.reduce_add(in), std::ldexp(1.0f, probe_.lanes) - 1);
  for (std::size_t i = 0; i < lanes_; ++i) {
    std::fill_n(in, kMostLanes, -3.0f);
    in[i] = -2.0f;
    EXPECT_EQ(probe_.reduce_max(in), -2.0f) << i;
  }
}

// Several sums at once are each what one alone is, to the bit: the tree is the same.
TEST_P(Vector, SumsOfSeveralVectors) {
  float in[4 * kMostLanes], out[4];
  const auto sums = static_cast<std::size_t>(probe_.sums);
  for (std::size_t i = 0; i < sums * lanes_; ++i)
    in[i] = std::sin(static_cast<float>(i + 1)) * std::ldexp(1.0f, static_cast<int>(i % 23));
  probe_.reduce_adds(in, out);
  for (std::size_t i = 0; i < sums; ++i) EXPECT_EQ(out[i], probe_.reduce_add(in + i * lanes_)) << i;
}

TEST_P(Vector, ComparesAndSelects) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < lanes_; ++i) {
    float x[kMostLanes], y[kMostLanes], out[kMostLanes];
    std::fill_n(x, kMostLanes, 2.0f);
    std::fill_n(y, kMostLanes, 1.0f);
    x[i] = 0.0f;
    probe_.select_less(x, y, out);
    for (std::size_t j = 0; j < lanes_; ++j) EXPECT_EQ(out[j], j == i ? 0.0f : 1.0f);
    x[i] = kNan;  // no comparison with NaN is true
    probe_.select_less(x, y, out);
    EXPECT_EQ(out[i], 1.0f);
  }
}

TEST_P(Vector, WidensBytes) {
  std::uint8_t in[kMostLanes];
  float plain[kMostLanes], as_signed[kMostLanes];
  for (int first = 0; first < 256; first += probe_.lanes) {
    for (std::size_t i = 0; i < lanes_; ++i)
      in[i] = static_cast<std::uint8_t>(first + static_cast<int>(i));
    probe_.bytes(in, plain, as_signed);
    for (std::size_t i = 0; i < lanes_; ++i) {
      EXPECT_EQ(plain[i], static_cast<float>(in[i]));
      EXPECT_EQ(as_signed[i], static_cast<float>(static_cast<std::int8_t>(in[i])));
    }
  }
}

}  // namespace
}  // namespace ffn::test
