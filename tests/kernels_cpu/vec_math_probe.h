// The functions of vec_math.h and stream.h, which live in the anonymous namespaces of each ISA's
// objects, opened to the tests: vec_math_probe.cpp is compiled once per ISA, as the kernels are.
#pragma once

#include <cstdint>

namespace ffn::test {

enum class Elementary {
  exp,
  exp_flushed,
  sigmoid,
  sigmoid_complement,
  tanh,
  normal_tail,
  normal_tail_bf16,
  log,
  half
};

// y[i] = f(x[i]); half gives the f16 bits as a number, log takes its argument to double.
using Probe = void (*)(Elementary f, const float* x, float* y, std::int64_t n);

namespace scalar {
void probe(Elementary f, const float* x, float* y, std::int64_t n);
}
namespace avx2 {
void probe(Elementary f, const float* x, float* y, std::int64_t n);
}
namespace avx512 {
void probe(Elementary f, const float* x, float* y, std::int64_t n);
}
namespace avx512_bf16 {
void probe(Elementary f, const float* x, float* y, std::int64_t n);
}

}  // namespace ffn::test
