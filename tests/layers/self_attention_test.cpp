#include "ffn/layers/self_attention.h"

#include <gtest/gtest.h>

#include "ffn/base/philox.h"

#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

constexpr std::int64_t kWidth = 12, kRows = 7;

SelfAttentionConfig small_attention() {
  SelfAttentionConfig config;
  config.width = kWidth;
  config.head_width = 4;
  config.attention = {.heads = 4, .kv_heads = 2};
  config.weight_init = {Init::Kind::normal, 0, 0.3};
  return config;
}

struct Attention {
  explicit Attention(const SelfAttentionConfig& config)
      : layer(parameters, {"q", "k", "v", "o", "qn", "kn"}, config) {
    parameters.finalize(ex, DType::f32);
    initialize_all(ex, parameters, 1);
  }
  Value rows(std::int64_t begin, std::int64_t count) {
    const RandomStream stream(3, "rows");
    const Tensor x = ex.allocate({{count, kWidth}, DType::f32, Role::activation});
    std::uint64_t element = static_cast<std::uint64_t>(begin * kWidth);
    for (float& value : host_span<float>(x)) value = stream.uniform(0, element++) - 0.5f;
    return ex.constant(x);
  }
  Executor ex{reference_device()};
  ParameterSet parameters;
  SelfAttention layer;
};

// Rows of one matrix or of three: the same sums.
TEST(SelfAttention, OneMapIsThree) {
  Attention apart(small_attention());
  SelfAttentionConfig config = small_attention();
  config.fused = true;
  Attention fused(config);
  const auto copy = [&](const char* name, const char* kind, std::int64_t row) {
    const Numbers part = host_values(apart.parameters.at(std::string(name) + kind).master);
    Numbers all = host_values(fused.parameters.at(std::string("q") + kind).master);
    std::ranges::copy(part, all.begin() + row);
    set_host_values(fused.parameters.at(std::string("q") + kind).master, all);
  };
  copy("q", ".weight", 0);
  copy("k", ".weight", 16 * kWidth);
  copy("v", ".weight", 24 * kWidth);
  set_host_values(fused.parameters.at("o.weight").master,
                  host_values(apart.parameters.at("o.weight").master));
  EXPECT_EQ(host_values(fused.layer.forward(fused.ex, fused.rows(0, kRows), 1).tensor),
            host_values(apart.layer.forward(apart.ex, apart.rows(0, kRows), 1).tensor));
}

TEST(SelfAttention, PackedTextsDoNotSeeEachOther) {
  Attention attention(small_attention());
  Executor& ex = attention.ex;
  const Tensor offsets = ex.allocate({{4}, DType::i32, Role::activation});
  const std::vector<std::int32_t> begins{0, 3, 3, 7};
  std::ranges::copy(begins, host_span<std::int32_t>(offsets).begin());
  const Numbers all =
      host_values(attention.layer.forward_packed(ex, attention.rows(0, kRows), offsets).tensor);
  for (std::size_t s = 0; s < 3; ++s) {
    const std::int64_t begin = begins[s], count = begins[s + 1] - begin;
    if (count == 0) continue;
    const Numbers alone =
        host_values(attention.layer.forward(ex, attention.rows(begin, count), 1).tensor);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + begin * kWidth)) << s;
  }
}

// Rows turned by their place would take it from the first text.
TEST(SelfAttention, PackedTextsHaveNoRotaryPositions) {
  SelfAttentionConfig config = small_attention();
  config.rope = RopeOptions{};
  Attention attention(config);
  const Tensor offsets = attention.ex.allocate({{2}, DType::i32, Role::activation});
  EXPECT_THROW(attention.layer.forward_packed(attention.ex, attention.rows(0, 1), offsets), Error);
}

// With the norm of each head queries and keys may be of any length: weights times 3 change nothing
// but values. eps is 0, so 1e-5 is far above the roundings of f32 numbers below 2.
TEST(SelfAttention, NormedQueriesAndKeysHaveNoLength) {
  for (const QkNorm kind : {QkNorm::head, QkNorm::whole}) {
    SelfAttentionConfig config = small_attention();
    config.qk_norm = kind;
    config.norm = {NormKind::rms, 0};
    config.qkv_bias = false;
    Attention attention(config);
    const auto output = [&] {
      return host_values(attention.layer.forward(attention.ex, attention.rows(0, kRows), 1).tensor);
    };
    const Numbers before = output();
    for (const char* name : {"q.weight", "k.weight"}) {
      Numbers values = host_values(attention.parameters.at(name).master);
      for (double& value : values) value *= 3;
      set_host_values(attention.parameters.at(name).master, values);
    }
    const Numbers after = output();
    for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-5);
    EXPECT_EQ(attention.parameters.at("qn.weight").shape.count(), kind == QkNorm::head ? 4 : 16);
    EXPECT_EQ(attention.parameters.at("kn.weight").shape.count(), kind == QkNorm::head ? 4 : 8);
  }
}

}  // namespace
}  // namespace ffn::test
