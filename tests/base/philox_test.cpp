#include "ffn/base/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace ffn {
namespace {

// philox4x32-10 of the Random123 distribution's file kat_vectors: counter, key (low word first),
// result.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0),
            (PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffff),
            (PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Keys, words and normals computed by a restatement in Python integers. They freeze the streams: a
// change here changes every seeded result a user has.
struct Golden {
  std::uint64_t seed;
  const char* name;
  std::uint64_t key;
  struct {
    std::uint64_t step, element;
    std::uint32_t word;
    double normal;
  } draws[3];
};
constexpr std::uint64_t kFarStep = (std::uint64_t{5} << 32) + 7;
constexpr std::uint64_t kFarElement = (std::uint64_t{9} << 34) + 2;
constexpr Golden kGolden[] = {
    {0,
     "",
     0xaebe53f85cdc3c4c,
     {{0, 0, 0x14b0efc9, -2.242316045845408},
      {3, 6, 0xd9ffa07a, -0.45573188502014755},
      {kFarStep, kFarElement, 0xb5900034, -0.8273812507962788}}},
    {1,
     "dropout",
     0x5caee5aaa554136d,
     {{0, 0, 0x3671fbe8, 0.19951218015909847},
      {3, 6, 0x7c00d95d, -0.5206198881442463},
      {kFarStep, kFarElement, 0x0d05abd1, 0.19947793869617383}}},
    {0xffffffffffffffff,
     "init/h.0.mlp.c_fc.weight",
     0x62b4e04d02e9954a,
     {{0, 0, 0x545128cd, -1.487713591545538},
      {3, 6, 0xa24e6fae, 0.9522583443621536},
      {kFarStep, kFarElement, 0x938c8994, 1.005414852594293}}},
};

TEST(Philox, StreamsAreFrozen) {
  for (const Golden& golden : kGolden) {
    const RandomStream stream(golden.seed, golden.name);
    EXPECT_EQ(stream.key(), golden.key);
    for (const auto& draw : golden.draws) {
      EXPECT_EQ(stream.word(draw.step, draw.element), draw.word);
      // log, sqrt, cos are within an ulp of each other across libraries, and log's ulp is at most
      // doubled by the square root's argument: 8 ulp of a value below 8.
      EXPECT_NEAR(stream.normal(draw.step, draw.element), draw.normal, 8 * 8 * 2.3e-16);
    }
  }
}

TEST(Philox, WordsAreTheBlocksOfTheCounter) {
  const RandomStream stream(0x0123456789abcdef);
  EXPECT_EQ(stream.key(), 0x0123456789abcdefu);
  const std::uint64_t step = 0x1122334455667788, block = 0x2a0b0c0d0e0f1011;
  const PhiloxWords expected =
      philox4x32({0x0e0f1011, 0x2a0b0c0d, 0x55667788, 0x11223344}, stream.key());
  EXPECT_EQ(stream.words(step, block), expected);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(stream.word(step, 4 * block + i), expected[i]);
}

TEST(Philox, NormalPairsShareTheirWords) {
  const RandomStream stream(3, "pairs");
  for (std::uint64_t element = 0; element < 64; element += 2) {
    const double even = stream.normal(9, element), odd = stream.normal(9, element + 1);
    const double u = (stream.word(9, element) + 0.5) / 4294967296.0;
    // cos² + sin² = 1 removes the angle.
    const double squared = -2 * std::log(u);
    EXPECT_NEAR(even * even + odd * odd, squared, 16 * 2.3e-16 * squared);
  }
}

// Philox is a bijection of the counter: undo the rounds, to find counters with words of our choice.
PhiloxWords invert_philox(PhiloxWords x, std::uint64_t key) {
  const auto inverse = [](std::uint32_t odd) {  // Newton's iteration modulo 2^32
    std::uint32_t y = odd;
    for (int i = 0; i < 5; ++i) y *= 2 - odd * y;
    return y;
  };
  const std::uint64_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;
  for (std::uint32_t round = 10; round-- > 0;) {
    const std::uint32_t key0 = static_cast<std::uint32_t>(key) + round * 0x9E3779B9u;
    const std::uint32_t key1 = static_cast<std::uint32_t>(key >> 32) + round * 0xBB67AE85u;
    const std::uint32_t x2 = x[1] * inverse(static_cast<std::uint32_t>(m1));
    const std::uint32_t x0 = x[3] * inverse(static_cast<std::uint32_t>(m0));
    const std::uint32_t x1 = x[0] ^ static_cast<std::uint32_t>((m1 * x2) >> 32) ^ key0;
    const std::uint32_t x3 = x[2] ^ static_cast<std::uint32_t>((m0 * x0) >> 32) ^ key1;
    x = {x0, x1, x2, x3};
  }
  return x;
}

// A place of `stream` whose word 0 and 1 are `first` and `second`.
struct Place {
  std::uint64_t step, element;
};
Place find_words(const RandomStream& stream, std::uint32_t first, std::uint32_t second) {
  for (std::uint32_t filler = 0;; ++filler) {
    const PhiloxWords c = invert_philox({first, second, filler, 0}, stream.key());
    const std::uint64_t block = (std::uint64_t{c[1]} << 32) | c[0];
    if (block >> 62 == 0) return {(std::uint64_t{c[3]} << 32) | c[2], block * 4};
  }
}

TEST(Philox, ExtremeWordsStayInsideTheOpenInterval) {
  const RandomStream stream(11, "extremes");
  const Place lowest = find_words(stream, 0, 0);
  ASSERT_EQ(stream.word(lowest.step, lowest.element), 0u);
  EXPECT_EQ(stream.uniform(lowest.step, lowest.element), 0x1p-33f);
  // The largest possible normal: √(−2·ln 2^-33), at an angle of 2^-33 turns.
  EXPECT_NEAR(stream.normal(lowest.step, lowest.element), std::sqrt(66 * std::log(2.0)), 1e-14);

  const Place highest = find_words(stream, 0xffffffff, 0xffffffff);
  ASSERT_EQ(stream.word(highest.step, highest.element), 0xffffffffu);
  EXPECT_EQ(stream.uniform(highest.step, highest.element), 1 - 0x1p-24f);
  EXPECT_TRUE(std::isfinite(stream.normal(highest.step, highest.element)));
  EXPECT_EQ(stream.below(7, highest.step, highest.element), 6u);
  EXPECT_EQ(stream.below(0xffffffff, highest.step, highest.element), 0xfffffffeu);
  EXPECT_EQ(stream.below(1, highest.step, highest.element), 0u);
}

TEST(Philox, UniformIsTheRoundedWord) {
  const RandomStream stream(4, "rounding");
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const double exact = (stream.word(2, i) + 0.5) / 4294967296.0;
    const float u = stream.uniform(2, i);
    // Half an ulp of f32.
    EXPECT_LE(std::fabs(u - exact), std::ldexp(1.0, std::ilogb(exact) - 24));
  }
}

}  // namespace
}  // namespace ffn
