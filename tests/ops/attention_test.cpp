// What must hold for attention whatever the numbers: packed sequences are separate ones, shared key
// heads are repeated ones, one value in three places collects three gradients.
#include <gtest/gtest.h>

#include <cmath>

#include "ffn/ops/attention.h"
#include "ffn/ops/view.h"
#include "ffn/tensor/host.h"
#include "support/op_run.h"

namespace ffn::test {
namespace {

std::vector<double> waves(std::int64_t count, double phase) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<double>(static_cast<float>(
        std::sin(phase + 1.7 * static_cast<double>(i)) + 0.25 * static_cast<double>(i % 3))));
  }
  return values;
}

Value leaf(Executor& ex, const Shape& shape, const std::vector<double>& values) {
  const Tensor tensor = ex.allocate({shape, DType::f32});
  set_host_values(tensor, values);
  return ex.leaf(tensor);
}
Value leaf(Executor& ex, const Shape& shape, double phase) {
  return leaf(ex, shape, waves(shape.count(), phase));
}
void walk_back(Executor& ex, const Value& y) {
  const Tensor seed = ex.allocate({y.shape(), DType::f32});
  set_host_values(seed, waves(y.shape().count(), 0.5));
  ex.backward(y, seed);
}
std::vector<double> rows_of(const std::vector<double>& values, std::int64_t begin, std::int64_t end,
                            std::int64_t cols) {
  return {values.begin() + begin * cols, values.begin() + end * cols};
}

// Ragged rows give the bits of each sequence alone: nothing leaks over a boundary.
TEST(Attention, PackedSequencesAreSeparateOnes) {
  const AttentionOptions options{.heads = 2, .kv_heads = 1, .causal = true};
  const std::vector<double> offsets{0, 26, 26, 27, 32};
  const auto threads = make_thread_pool(2);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    Executor ex(named.device);
    const Value q = leaf(ex, {32, 10}, 1), k = leaf(ex, {32, 5}, 2), v = leaf(ex, {32, 5}, 3);
    const Tensor bounds = ex.allocate({{5}, DType::i32});
    set_host_values(bounds, offsets);
    const std::vector<double> all = host_values(attention(ex, q, k, v, bounds, options).tensor);
    for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
      const auto begin = static_cast<std::int64_t>(offsets[s]);
      const auto end = static_cast<std::int64_t>(offsets[s + 1]);
      if (begin == end) continue;
      const auto part = [&](const Value& x) { return slice_rows(ex, x, begin, end - begin); };
      const Value y = attention(ex, part(q), part(k), part(v), 1, options);
      EXPECT_TRUE(same_bits(host_values(y.tensor), rows_of(all, begin, end, 10)))
          << named.name << ", sequence " << s;
    }
  }
}

// Key heads written out once per query head give the same bits: a query's row is computed alone.
TEST(Attention, SharedKeyHeadsAreRepeatedOnes) {
  const auto threads = make_thread_pool(1);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    Executor ex(named.device);
    const Value q = leaf(ex, {9, 12}, 1), k = leaf(ex, {9, 6}, 2), v = leaf(ex, {9, 6}, 3);
    const auto twice = [&](const Value& x) {
      const Value a = slice_cols(ex, x, 0, 3), b = slice_cols(ex, x, 3, 3);
      const Value parts[] = {a, a, b, b};
      return concat_cols(ex, parts);
    };
    const Value shared = attention(ex, q, k, v, 1, {.heads = 4, .kv_heads = 2});
    const Value repeated = attention(ex, q, twice(k), twice(v), 1, {.heads = 4});
    EXPECT_TRUE(same_bits(host_values(shared.tensor), host_values(repeated.tensor))) << named.name;
  }
}

// 1e-5: gradients below 8, each of three sums of at most 12 terms rounded at 2^-24.
TEST(Attention, OneValueInThreePlacesCollectsThreeGradients) {
  const auto threads = make_thread_pool(2);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    Executor ex(named.device);
    const Value x = leaf(ex, {6, 8}, 1);
    walk_back(ex, attention(ex, x, x, x, 2, {.heads = 2}));
    const std::vector<double> together = host_values(ex.gradient(x));
    ex.clear_tape();
    const Value q = leaf(ex, {6, 8}, 1), k = leaf(ex, {6, 8}, 1), v = leaf(ex, {6, 8}, 1);
    walk_back(ex, attention(ex, q, k, v, 2, {.heads = 2}));
    const std::vector<double> dq = host_values(ex.gradient(q)), dk = host_values(ex.gradient(k)),
                              dv = host_values(ex.gradient(v));
    for (std::size_t i = 0; i < together.size(); ++i)
      EXPECT_NEAR(together[i], dq[i] + dk[i] + dv[i], 1e-5) << named.name << " " << i;
  }
}

// Scores of ±3e4 would overflow without the maximum, and decide alone: y is the row of the best
// key.
TEST(Attention, HugeScoresDecideAlone) {
  const auto threads = make_thread_pool(1);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    Executor ex(named.device);
    const Value q = leaf(ex, {2, 1}, std::vector<double>{300, -300});
    const Value k = leaf(ex, {3, 1}, std::vector<double>{-100, 0, 100});
    const Value v = leaf(ex, {3, 1}, std::vector<double>{1, 2, 3});
    const Value y = attention(ex, q, k, v, 1, {.scale = 1});
    EXPECT_EQ(host_values(y.tensor), (std::vector<double>{3, 1})) << named.name;
    walk_back(ex, y);
    EXPECT_EQ(host_values(ex.gradient(q)), (std::vector<double>{0, 0})) << named.name;
  }
}

// Saved: q, k, v and one number per query and head; no probabilities.
TEST(Attention, KeepsOneNumberPerQueryAndHead) {
  Executor ex(dry_device(reference_device()));
  const std::int64_t B = 2, T = 64, heads = 4, W = 16;
  const auto value = [&] { return ex.leaf(ex.allocate({{B * T, heads * W}, DType::f32})); };
  Value y = attention(ex, value(), value(), value(), B, {.heads = heads});
  EXPECT_EQ(ex.report().forward_flops, 4 * B * heads * T * T * W);
  y = {};
  EXPECT_EQ(ex.ledger().live_bytes(Tag::activations),
            3 * B * T * heads * W * 4 + B * T * heads * 4);
}

}  // namespace
}  // namespace ffn::test
