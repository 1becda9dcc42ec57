// Instruction sets the cpu kernels are compiled for, and the choice among them at start.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

enum class Isa { scalar, avx2, avx512, avx512_bf16 };

std::string_view to_string(Isa isa);
// Throws Error{config} for an unknown name.
Isa parse_isa(std::string_view name);

// The words of cpuid and xgetbv that the decision reads, all zero on other processors.
struct CpuWords {
  std::uint32_t leaf1_ecx = 0;    // FMA, OSXSAVE, AVX, F16C
  std::uint32_t leaf7_ebx = 0;    // AVX2, AVX-512 F, DQ, BW, VL
  std::uint32_t leaf7_ecx = 0;    // AVX-512 VNNI
  std::uint32_t leaf7_1_eax = 0;  // AVX-512 BF16
  std::uint64_t xcr0 = 0;         // register state that the operating system saves
};
CpuWords read_cpu_words();
// What these words support (avx2 means AVX2+FMA+F16C; avx512 means F, BW, VL, DQ on top of that;
// avx512_bf16 adds BF16 and VNNI), each with the register state it needs saved.
bool words_support(const CpuWords& words, Isa isa);

// True when processor and operating system support it. In a build with FFN_EMULATE_AVX512 the
// AVX-512 kernels are compiled over SIMDe, so there avx512 and avx512_bf16 are supported wherever
// avx2 is.
bool cpu_supports(Isa isa);
// Every supported ISA, slowest first; always contains scalar.
std::vector<Isa> supported_isas();
// The best supported one, or the one named by the environment variable FFN_ISA (empty means unset).
// Throws Error{config} when FFN_ISA is no known name, Error{device} when this machine cannot run
// it.
Isa choose_isa();

}  // namespace ffn::inline v0
