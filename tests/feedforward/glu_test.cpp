#include <algorithm>
#include <cmath>
#include <utility>

#include "feedforward/designs.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

INSTANTIATE_TEST_SUITE_P(glu, Designs,
                         testing::ValuesIn(design_cases(
                             Tokens::plain,
                             {"glu(silu)", "glu(identity, hidden=7)", "glu(gelu_tanh, hidden=3)",
                              "glu(silu, hidden=7, bias=true)", "glu(silu, multiple=9, bias=false)",
                              "glu(silu, fused=gate-up)", "glu(gelu, hidden=9, fused=up-gate)"})));

TEST(Glu, MultipleIsTheRuleOfPublishedModels) {
  EXPECT_EQ(hidden_width("glu(silu, multiple=256)", 4096), 11008);    // LLaMA-7B
  EXPECT_EQ(hidden_width("glu(silu, multiple=256)", 5120), 13824);    // LLaMA-13B
  EXPECT_EQ(hidden_width("glu(silu, multiple=8)", 1536), 4096);       // DINOv2-g
  EXPECT_EQ(hidden_width("mamba-mlp", 1000), 2688);                   // int(2666.7) up to 21·128
  EXPECT_EQ(hidden_width("griffin-mlp", 2560), 7680);                 // RecurrentGemma-2B
  EXPECT_EQ(hidden_width("glu(silu, x1.31, multiple=10)", 77), 100);  // of 100.87
  EXPECT_EQ(hidden_width("glu(silu)", 768), 2048);
}

TEST(Glu, OwnOptionsOfAnAliasGiveWay) {
  EXPECT_EQ(hidden_width("mamba-mlp(hidden=24)", 1000), 24);
  EXPECT_EQ(hidden_width("griffin-mlp(hidden=24)", 1000), 24);
  EXPECT_EQ(to_string(standard_designs().parse("mamba-mlp(multiple=32, bias=true)")),
            "glu(silu, bias=true, fused=up-gate, multiple=32)");
}

constexpr std::int64_t kRows = 11, kHidden = 19;

std::vector<double> weight(const char* name, std::int64_t count) { return numbers(name, count, 1); }
std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Weights of one name have one value, whether they stand alone or in a fused matrix.
void set_weights(ParameterSet& parameters, bool up_first) {
  for (const auto& [kind, cols] :
       {std::pair{".weight", kWidth}, std::pair{".bias", std::int64_t{1}}}) {
    const auto values = [&, of = kind, width = cols](const std::string& part, std::int64_t rows) {
      return weight((part + of).c_str(), rows * width);
    };
    const auto set = [&, of = kind](const std::string& part, const std::vector<double>& v) {
      if (Parameter* found = parameters.find(part + of)) set_host_values(found->master, v);
    };
    const std::vector<double> gate = values("gate", kHidden), up = values("up", kHidden);
    set("gate", gate);
    set("up", up);
    set("gate_up", up_first ? joined(up, gate) : joined(gate, up));
  }
  set_host_values(parameters.at("down.weight").master, weight("down.weight", kWidth * kHidden));
  set_host_values(parameters.at("down.bias").master, weight("down.bias", kWidth));
}

struct Result {
  std::vector<double> y, dx, dweights;  // gradients of gate's rows, then up's
};

Result run(const std::string& text, Isa isa) {
  Executor ex(cpu_device(serial_pool(), isa));
  ParameterSet parameters;
  FeedForwardSite site;
  site.width = kWidth;
  const auto layer = standard_designs().build(standard_designs().parse(text), site, parameters);
  parameters.finalize(ex, DType::f32);
  const bool up_first = text.find("up-gate") != std::string::npos;
  set_weights(parameters, up_first);
  parameters.weights_changed(ex);

  const auto tensor = [&](const char* name) {
    const Tensor made =
        ex.allocate_persistent({{kRows, kWidth}, DType::f32, Role::activation}, Tag::data);
    set_host_values(made, numbers(name, kRows * kWidth, 1));
    return made;
  };
  const Value x = ex.leaf(tensor("x"));
  const Value y = layer->forward(ex, x, 1);
  Result result{host_values(y.tensor), {}, {}};
  ex.backward(y, tensor("seed"));
  result.dx = host_values(ex.gradient(x));
  const auto gradient = [&](const char* name) {
    return host_values(parameters.at(name).slot.gradient);
  };
  if (parameters.find("gate_up.weight") == nullptr) {
    result.dweights = joined(gradient("gate.weight"), gradient("up.weight"));
  } else {
    result.dweights = gradient("gate_up.weight");
    if (up_first) std::ranges::rotate(result.dweights, result.dweights.begin() + kHidden * kWidth);
  }
  return result;
}

// Σ|terms| of every entry of dx = dpre·W_gate + dup·W_up, in double.
std::vector<double> terms_of_dx() {
  const auto gate = weight("gate.weight", kHidden * kWidth),
             up = weight("up.weight", kHidden * kWidth);
  const auto gate_bias = weight("gate.bias", kHidden), up_bias = weight("up.bias", kHidden);
  const auto down = weight("down.weight", kWidth * kHidden);
  const auto x = numbers("x", kRows * kWidth, 1), seed = numbers("seed", kRows * kWidth, 1);
  const auto at = [](const std::vector<double>& m, std::int64_t row, std::int64_t col,
                     std::int64_t cols) { return m[static_cast<std::size_t>(row * cols + col)]; };
  std::vector<double> terms(x.size(), 0.0);
  for (std::int64_t n = 0; n < kRows; ++n) {
    for (std::int64_t h = 0; h < kHidden; ++h) {
      double pre = at(gate_bias, 0, h, kHidden), value = at(up_bias, 0, h, kHidden), dneuron = 0;
      for (std::int64_t d = 0; d < kWidth; ++d) {
        pre += at(gate, h, d, kWidth) * at(x, n, d, kWidth);
        value += at(up, h, d, kWidth) * at(x, n, d, kWidth);
        dneuron += at(down, d, h, kHidden) * at(seed, n, d, kWidth);
      }
      const double sigmoid = 1 / (1 + std::exp(-pre));
      const double dpre = dneuron * value * sigmoid * (1 + pre * (1 - sigmoid));
      const double dup = dneuron * pre * sigmoid;
      for (std::int64_t d = 0; d < kWidth; ++d)
        terms[static_cast<std::size_t>(n * kWidth + d)] +=
            std::abs(dpre * at(gate, h, d, kWidth)) + std::abs(dup * at(up, h, d, kWidth));
    }
  }
  return terms;
}

// An entry of a product is one sum, whatever columns stand beside it, so outputs and gradients of
// weights are equal to the bit. dx is one sum of 2·H terms where it was two of H, added: either is
// off by at most (2·H + 2)·u·Σ|terms|.
TEST(Glu, FusedEqualsSplit) {
  const std::vector<double> terms = terms_of_dx();
  for (const Isa isa : supported_isas()) {
    const Result split = run("glu(silu, hidden=19)", isa);
    for (const char* order : {"gate-up", "up-gate"}) {
      SCOPED_TRACE(testing::Message() << order << " on " << to_string(isa));
      const Result fused = run(std::string("glu(silu, hidden=19, fused=") + order + ")", isa);
      EXPECT_EQ(fused.y, split.y);
      EXPECT_EQ(fused.dweights, split.dweights);
      for (std::size_t i = 0; i < terms.size(); ++i)
        EXPECT_NEAR(fused.dx[i], split.dx[i], 2 * (2 * kHidden + 2) * 0x1p-24 * terms[i]);
    }
  }
}

}  // namespace
}  // namespace ffn::test
