#include "kernels_product/vec_probe.h"

#include "ffn/kernels/cpu/vec.h"

namespace ffn::test::FFN_ISA_NAMESPACE {

namespace vec = ffn::kernels::cpu::FFN_ISA_NAMESPACE;

VecProbe vec_probe() {
  using namespace vec;
  VecProbe probe{};
  probe.lanes = kLanes;
  probe.round_to_bf16 = [](const float* in, Bf16* out) { store(out, load(in)); };
  probe.widen_bf16 = [](const Bf16* in, float* out) { store(out, load(in)); };
  probe.widen_f16 = [](const F16* in, float* out) { store(out, load(in)); };
  probe.set_f16 = [](std::uint16_t half) {
    float lanes[kLanes];
    store(lanes, vec::set_f16(half));
    return lanes[kLanes - 1];
  };
  probe.load_n = [](const float* in, std::int64_t n, float* out) {
    store(out, vec::load_n(in, n));
  };
  probe.load_n_bf16 = [](const Bf16* in, std::int64_t n, float* out) {
    store(out, vec::load_n(in, n));
  };
  probe.store_n = [](const float* in, std::int64_t n, float* out) {
    vec::store_n(out, load(in), n);
  };
  probe.store_n_bf16 = [](const float* in, std::int64_t n, Bf16* out) {
    vec::store_n(out, load(in), n);
  };
  probe.transpose = [](const float* in, float* out) {
    Vec rows[kLanes];
    for (int i = 0; i < kLanes; ++i) rows[i] = load(in + i * kLanes);
    vec::transpose(rows);
    for (int i = 0; i < kLanes; ++i) store(out + i * kLanes, rows[i]);
  };
  probe.pow2i = [](const float* in, float* out) { store(out, vec::pow2i(load(in))); };
  probe.to_int = [](const float* in, std::int32_t* out) {
    float lanes[kLanes];
    store(lanes, from_bits(vec::to_int(load(in))));
    __builtin_memcpy(out, lanes, sizeof lanes);
  };
  probe.reduce_add = [](const float* in) { return vec::reduce_add(load(in)); };
  probe.sums = kReduced;
  probe.reduce_adds = [](const float* in, float* out) {
    Vec rows[kReduced];
    for (int i = 0; i < kReduced; ++i) rows[i] = load(in + i * kLanes);
    vec::store_n(out, vec::reduce_adds(rows), kReduced);
  };
  probe.reduce_max = [](const float* in) { return vec::reduce_max(load(in)); };
  probe.select_less = [](const float* x, const float* y, float* out) {
    store(out, select(lt(load(x), load(y)), load(x), load(y)));
  };
  probe.dot_pairs = [](const Bf16* a, const Bf16* b, const float* sum, float* out) {
    store(out, vec::dot_pairs(load_pairs(a), load_pairs(b), load(sum)));
  };
  probe.load_pairs_n = [](const Bf16* in, std::int64_t n, Bf16* out) {
    const Vec pairs = vec::load_pairs_n(in, n);
    __builtin_memcpy(out, &pairs, sizeof pairs);
  };
  probe.pair_up = [](const Bf16* first, const Bf16* second, Bf16* out) {
    const Vec pairs = vec::pair_up(load(first), load(second));
    __builtin_memcpy(out, &pairs, sizeof pairs);
  };
  probe.bytes = [](const std::uint8_t* in, float* plain, float* as_signed) {
    const void* at = in;
    store(plain, to_float(load_bytes(in)));
    store(as_signed, to_float(load_signed_bytes(static_cast<const std::int8_t*>(at))));
  };
  return probe;
}

}  // namespace ffn::test::FFN_ISA_NAMESPACE
