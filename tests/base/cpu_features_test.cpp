#include "ffn/base/cpu_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "ffn/base/error.h"

namespace ffn {
namespace {

// A processor with everything, saved by its operating system.
constexpr CpuWords kComplete{
    .leaf1_ecx = (1u << 12) | (1u << 27) | (1u << 28) | (1u << 29),
    .leaf7_ebx = (1u << 5) | (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31),
    .leaf7_ecx = 1u << 11,
    .leaf7_1_eax = 1u << 5,
    .xcr0 = 0xe7,
};

// The fastest ISA left when some bits are missing.
Isa best(const CpuWords& words) {
  Isa found = Isa::scalar;
  for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    if (words_support(words, isa)) found = isa;
  }
  return found;
}

TEST(CpuFeatures, EveryMissingBitLowersTheChoice) {
  EXPECT_EQ(best(kComplete), Isa::avx512_bf16);
  EXPECT_EQ(best(CpuWords{}), Isa::scalar);
  for (const int bit : {12, 27, 28, 29}) {
    CpuWords words = kComplete;
    words.leaf1_ecx &= ~(1u << bit);
    EXPECT_EQ(best(words), Isa::scalar) << "leaf 1 ecx bit " << bit;
  }
  for (const int bit : {5, 16, 17, 30, 31}) {
    CpuWords words = kComplete;
    words.leaf7_ebx &= ~(1u << bit);
    EXPECT_EQ(best(words), bit == 5 ? Isa::scalar : Isa::avx2) << "leaf 7 ebx bit " << bit;
  }
  CpuWords words = kComplete;
  words.leaf7_ecx = 0;
  EXPECT_EQ(best(words), Isa::avx512) << "no VNNI";
  words = kComplete;
  words.leaf7_1_eax = 0;
  EXPECT_EQ(best(words), Isa::avx512) << "no BF16";
}

TEST(CpuFeatures, RegisterStateMustBeSaved) {
  for (const int bit : {1, 2, 5, 6, 7}) {
    CpuWords words = kComplete;
    words.xcr0 &= ~(std::uint64_t{1} << bit);
    EXPECT_EQ(best(words), bit < 5 ? Isa::scalar : Isa::avx2) << "xcr0 bit " << bit;
  }
}

TEST(CpuFeatures, NamesRoundTrip) {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    EXPECT_EQ(parse_isa(to_string(isa)), isa);
  }
  EXPECT_EQ(to_string(Isa::avx512_bf16), "avx512_bf16");
  for (const char* name : {"", "AVX2", "avx", "sse2"}) EXPECT_THROW(parse_isa(name), Error) << name;
}

TEST(CpuFeatures, ThisMachineAgreesWithTheCompilersOwnCheck) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  EXPECT_EQ(cpu_supports(Isa::avx2), avx2);
#if defined(FFN_EMULATE_AVX512)
  EXPECT_EQ(cpu_supports(Isa::avx512), avx2);
  EXPECT_EQ(cpu_supports(Isa::avx512_bf16), avx2);
#else
  EXPECT_EQ(cpu_supports(Isa::avx512), avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                                           __builtin_cpu_supports("avx512bw") != 0 &&
                                           __builtin_cpu_supports("avx512vl") != 0 &&
                                           __builtin_cpu_supports("avx512dq") != 0);
#endif
#endif
  const std::vector<Isa> supported = supported_isas();
  ASSERT_FALSE(supported.empty());
  EXPECT_EQ(supported.front(), Isa::scalar);
  EXPECT_TRUE(std::is_sorted(supported.begin(), supported.end()));
  for (const Isa isa : supported) EXPECT_TRUE(cpu_supports(isa));
}

// Sets FFN_ISA for one scope.
class WithIsa {
 public:
  explicit WithIsa(const char* value) {
    if (const char* old = std::getenv("FFN_ISA")) old_ = old;
    setenv("FFN_ISA", value, 1);
  }
  ~WithIsa() {
    if (old_) {
      setenv("FFN_ISA", old_->c_str(), 1);
    } else {
      unsetenv("FFN_ISA");
    }
  }

 private:
  std::optional<std::string> old_;
};

TEST(CpuFeatures, EnvironmentChoosesAmongTheSupported) {
  for (const Isa isa : supported_isas()) {
    const WithIsa environment(std::string(to_string(isa)).c_str());
    EXPECT_EQ(choose_isa(), isa);
  }
  const WithIsa environment("");
  EXPECT_EQ(choose_isa(), supported_isas().back()) << "empty means unset";
}

TEST(CpuFeatures, EnvironmentErrorsNameTheValue) {
  {
    const WithIsa environment("avx1024");
    try {
      choose_isa();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_NE(error.detail().find("'avx1024'"), std::string::npos);
    }
  }
  if (cpu_supports(Isa::avx512_bf16)) GTEST_SKIP() << "this machine runs every instruction set";
  const WithIsa environment("avx512_bf16");
  try {
    choose_isa();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    EXPECT_NE(error.detail().find("FFN_ISA=avx512_bf16"), std::string::npos);
  }
}

}  // namespace
}  // namespace ffn
