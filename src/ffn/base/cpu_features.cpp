#include "ffn/base/cpu_features.h"

#include <array>
#include <cstdlib>

#include "ffn/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ffn::inline v0 {
namespace {

constexpr std::array kIsas = {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16};

// Bit numbers: Intel Software Developer's Manual, volume 2A, CPUID.
constexpr std::uint32_t bit(int n) { return std::uint32_t{1} << n; }
constexpr std::uint32_t kLeaf1Ecx = bit(12) | bit(27) | bit(28) | bit(29);  // FMA OSXSAVE AVX F16C
constexpr std::uint32_t kLeaf7EbxAvx2 = bit(5);
constexpr std::uint32_t kLeaf7EbxAvx512 = bit(16) | bit(17) | bit(30) | bit(31);  // F DQ BW VL
constexpr std::uint32_t kLeaf7EcxVnni = bit(11);
constexpr std::uint32_t kLeaf71EaxBf16 = bit(5);
constexpr std::uint64_t kStateYmm = 0x06;  // SSE and AVX halves
constexpr std::uint64_t kStateZmm = 0xe6;  // those, opmasks, ZMM 0–15 upper halves, ZMM 16–31

constexpr bool has(std::uint64_t word, std::uint64_t bits) { return (word & bits) == bits; }

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512_bf16: return "avx512_bf16";
  }
  return "unknown";
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : kIsas) {
    if (to_string(isa) == name) return isa;
  }
  fail(ErrorKind::config, "isa", "unknown instruction set '", name,
       "'; known: scalar, avx2, avx512, avx512_bf16");
}

CpuWords read_cpu_words() {
  CpuWords words;
#if defined(__x86_64__)
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) words.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
    words.leaf7_ebx = ebx;
    words.leaf7_ecx = ecx;
    const std::uint32_t last_subleaf = eax;
    if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) {
      words.leaf7_1_eax = eax;
    }
  }
  if (has(words.leaf1_ecx, bit(27))) {  // without OSXSAVE, xgetbv is an illegal instruction
    std::uint32_t low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    words.xcr0 = (std::uint64_t{high} << 32) | low;
  }
#endif
  return words;
}

bool words_support(const CpuWords& words, Isa isa) {
  switch (isa) {
    case Isa::scalar: return true;
    case Isa::avx2:
      return has(words.leaf1_ecx, kLeaf1Ecx) && has(words.leaf7_ebx, kLeaf7EbxAvx2) &&
             has(words.xcr0, kStateYmm);
    case Isa::avx512:
      return words_support(words, Isa::avx2) && has(words.leaf7_ebx, kLeaf7EbxAvx512) &&
             has(words.xcr0, kStateZmm);
    case Isa::avx512_bf16:
      return words_support(words, Isa::avx512) && has(words.leaf7_ecx, kLeaf7EcxVnni) &&
             has(words.leaf7_1_eax, kLeaf71EaxBf16);
  }
  return false;
}

bool cpu_supports(Isa isa) {
  static const CpuWords words = read_cpu_words();
#if defined(FFN_EMULATE_AVX512)
  if (isa != Isa::scalar) return words_support(words, Isa::avx2);
#endif
  return words_support(words, isa);
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> supported;
  for (const Isa isa : kIsas) {
    if (cpu_supports(isa)) supported.push_back(isa);
  }
  return supported;
}

Isa choose_isa() {
  const char* wish = std::getenv("FFN_ISA");
  if (wish == nullptr || *wish == '\0') return supported_isas().back();
  const Isa isa = parse_isa(wish);
  check(cpu_supports(isa), ErrorKind::device, "isa", "FFN_ISA=", wish,
        " cannot run on this machine; the best it supports is ",
        to_string(supported_isas().back()));
  return isa;
}

}  // namespace ffn::inline v0
