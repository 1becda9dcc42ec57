// The loops that pointwise and row kernels are made of: f32 in the first-level cache, whole vectors
// and then one partial vector. Every element goes through the same vector operations wherever it
// lies, so results do not depend on how a kernel is cut into pieces.
#pragma once

#include <cstdint>

#include "ffn/kernels/cpu/vec.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
constexpr std::int64_t most(std::int64_t a, std::int64_t b) { return a < b ? b : a; }
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// y[i] = f(in[i]...) for i in [0, n). y may be one of the inputs.
template <class Out, class F, class... In>
inline void map(std::int64_t n, Out* y, F f, const In*... in) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load(in + i)...));
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_n(y + i, f(load_n(in + i, rest)...), rest);
}

// The same for two results at once.
struct Pair {
  Vec first, second;
};
template <class F, class... In>
inline void map_pair(std::int64_t n, float* first, float* second, F f, const In*... in) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Pair y = f(load(in + i)...);
    store(first + i, y.first);
    store(second + i, y.second);
  }
  const int rest = static_cast<int>(n - i);
  if (rest == 0) return;
  const Pair y = f(load_n(in + i, rest)...);
  store_n(first + i, y.first, rest);
  store_n(second + i, y.second, rest);
}

// The first n lanes of v, `other` in the rest.
inline Vec keep_lanes(Vec v, int n, float other) {
  return select(lt(to_float(iota()), set(static_cast<float>(n))), v, set(other));
}

// Σ f(in[i]...). Four vectors of partial sums, added as (0+1)+(2+3) and then across the lanes: the
// order depends on n alone.
template <class F, class... In>
inline float sum(std::int64_t n, F f, const In*... in) {
  Vec total[4] = {zero(), zero(), zero(), zero()};
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    total[0] = total[0] + f(load(in + i)...);
    total[1] = total[1] + f(load(in + i + kLanes)...);
    total[2] = total[2] + f(load(in + i + 2 * kLanes)...);
    total[3] = total[3] + f(load(in + i + 3 * kLanes)...);
  }
  for (; i + kLanes <= n; i += kLanes) total[0] = total[0] + f(load(in + i)...);
  const int rest = static_cast<int>(n - i);
  if (rest > 0) total[1] = total[1] + keep_lanes(f(load_n(in + i, rest)...), rest, 0);
  return reduce_add((total[0] + total[1]) + (total[2] + total[3]));
}

// The largest of `start` and all f(in[i]...).
template <class F, class... In>
inline float largest(float start, std::int64_t n, F f, const In*... in) {
  Vec best = set(start);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = max(best, f(load(in + i)...));
  const int rest = static_cast<int>(n - i);
  if (rest > 0) best = max(best, keep_lanes(f(load_n(in + i, rest)...), rest, start));
  return reduce_max(best);
}

inline void fill_with(std::int64_t n, float* y, float value) {
  map(n, y, [=] { return set(value); });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
