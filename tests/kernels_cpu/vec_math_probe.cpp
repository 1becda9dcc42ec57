#include "kernels_cpu/vec_math_probe.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"

namespace ffn::test::FFN_ISA_NAMESPACE {

namespace isa = ffn::kernels::cpu::FFN_ISA_NAMESPACE;
using isa::Vec;

void probe(Elementary f, const float* x, float* y, std::int64_t n) {
  switch (f) {
    case Elementary::exp: return isa::map(n, y, [](Vec v) { return isa::exp(v); }, x);
    case Elementary::exp_flushed:
      return isa::map(n, y, [](Vec v) { return isa::exp_flushed(v); }, x);
    case Elementary::sigmoid: return isa::map(n, y, [](Vec v) { return isa::sigmoid(v); }, x);
    case Elementary::sigmoid_complement:
      return isa::map(n, y, [](Vec v) { return isa::sigmoid_pair(v).complement; }, x);
    case Elementary::tanh: return isa::map(n, y, [](Vec v) { return isa::tanh(v); }, x);
    case Elementary::normal_tail:
      return isa::map(n, y, [](Vec v) { return isa::normal_tail<isa::Digits::f32>(v); }, x);
    case Elementary::normal_tail_bf16:
      return isa::map(n, y, [](Vec v) { return isa::normal_tail<isa::Digits::bf16>(v); }, x);
    case Elementary::log:
      for (std::int64_t i = 0; i < n; ++i) {
        y[i] = static_cast<float>(isa::log_positive(static_cast<double>(x[i])));
      }
      return;
    case Elementary::half:
      for (std::int64_t i = 0; i < n; ++i) y[i] = isa::float_to_half(x[i]);
      return;
  }
}

}  // namespace ffn::test::FFN_ISA_NAMESPACE
