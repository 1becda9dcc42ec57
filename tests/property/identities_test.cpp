// Designs that must be the same function, or change by a known one, under random sizes and weights.
#include "property/random_design.h"

namespace ffn::test {
namespace {

std::int64_t between(std::int64_t least, std::int64_t most) {
  return *rc::gen::inRange<std::int64_t>(least, most + 1);
}

FeedForwardSite random_site() {
  FeedForwardSite site;
  site.width = between(1, 24);
  site.grid = {between(1, 4), between(1, 4), between(0, 1)};
  site.tokens = site.grid.rows();
  site.bias = *rc::gen::arbitrary<bool>();
  return site;
}

std::string with_hidden(const std::string& begin, std::int64_t hidden,
                        const std::string& end = "") {
  return begin + ", hidden=" + std::to_string(hidden) + end + ")";
}

// The outputs of a layer whose weights `set` may change.
template <class Set>
std::vector<double> outputs(const RandomDesign& design, const Set& set, double input_scale = 1) {
  Executor ex(cpu_device(serial_pool()));
  RandomLayer made(ex, design, DType::f32);
  set(made.parameters);
  made.parameters.weights_changed(ex);
  const Tensor x = made.input("x");
  for (float& value : host_span<float>(x)) value *= static_cast<float>(input_scale);
  const NoTape no_tape(ex);
  return host_values(made.forward(ex.constant(x)).tensor);
}

void keep(ParameterSet&) {}

RandomDesign design_of(std::string text, const FeedForwardSite& site) {
  return {std::move(text), site, between(1, 3)};
}

void assert_close(const std::vector<double>& a, const std::vector<double>& b, double relative) {
  RC_ASSERT(a.size() == b.size());
  const double allowed = relative * largest_of(a);
  for (std::size_t i = 0; i < a.size(); ++i) RC_ASSERT(std::abs(a[i] - b[i]) <= allowed);
}

// Rows [begin, begin + rows) of `to` become `from`.
void put_rows(const Tensor& to, std::int64_t begin, const std::vector<double>& from) {
  std::vector<double> all = host_values(to);
  std::copy(from.begin(), from.end(), all.begin() + begin * to.cols());
  set_host_values(to, all);
}

// Exact: multiplication commutes, so the bilinear layer does not care which branch is which.
RC_GTEST_PROP(Identity, TheBilinearLayersBranchesMayChangePlaces, ()) {
  const RandomDesign design = design_of(with_hidden("glu(identity", between(1, 24)), random_site());
  const auto swapped = outputs(design, [](ParameterSet& parameters) {
    for (const char* part : {".weight", ".bias"}) {
      Parameter* gate = parameters.find(std::string("gate") + part);
      Parameter* up = parameters.find(std::string("up") + part);
      if (gate == nullptr) continue;
      const auto values = host_values(gate->master);
      set_host_values(gate->master, host_values(up->master));
      set_host_values(up->master, values);
    }
  });
  RC_ASSERT(outputs(design, keep) == swapped);
}

// Exact: powers of two only move exponents.
RC_GTEST_PROP(Identity, WithoutBiasesReluScalesWithItsInputAndItsSquareTwice, ()) {
  FeedForwardSite site = random_site();
  site.bias = false;
  const std::int64_t hidden = between(1, 24);
  const RandomDesign once = design_of(with_hidden("mlp(relu", hidden), site);
  const RandomDesign twice = design_of(with_hidden("mlp(relu2", hidden), site);
  for (const auto& [design, factor] : {std::pair{once, 4.0}, {twice, 16.0}}) {
    auto scaled = outputs(design, keep);
    for (double& value : scaled) value *= factor;
    RC_ASSERT(outputs(design, keep, 4) == scaled);
  }
}

// Tolerance: the order of a sum of at most 24 terms changes: 1e-5 is 170 roundings of f32.
RC_GTEST_PROP(Identity, NeuronsMayChangePlaces, ()) {
  FeedForwardSite site = random_site();
  site.bias = false;
  const std::int64_t hidden = between(2, 24);
  const RandomDesign design = design_of(with_hidden("mlp(gelu", hidden), site);
  const auto reversed = outputs(design, [&](ParameterSet& parameters) {
    const Tensor up = parameters.at("up.weight").master, down = parameters.at("down.weight").master;
    const std::vector<double> u = host_values(up), d = host_values(down);
    std::vector<double> turned_u = u, turned_d = d;
    const auto H = static_cast<std::size_t>(hidden), D = static_cast<std::size_t>(site.width);
    for (std::size_t h = 0; h < H; ++h)
      for (std::size_t i = 0; i < D; ++i) {
        turned_u[h * D + i] = u[(H - 1 - h) * D + i];
        turned_d[i * H + h] = d[i * H + (H - 1 - h)];
      }
    set_host_values(up, turned_u);
    set_host_values(down, turned_d);
  });
  assert_close(outputs(design, keep), reversed, 1e-5);
}

// Exact: a kernel that is 1 in its middle and 0 elsewhere, without bias, passes its input.
RC_GTEST_PROP(Identity, AConvolutionByTheUnitKernelIsNone, ()) {
  const FeedForwardSite site = random_site();
  const std::int64_t hidden = between(1, 16), k = 2 * between(0, 2) + 1;
  RandomDesign conv =
      design_of(with_hidden("dwconv(silu", hidden, ", k=" + std::to_string(k)), site);
  RandomDesign plain = conv;
  plain.text = with_hidden("mlp(silu", hidden);
  const auto unit = outputs(conv, [&](ParameterSet& parameters) {
    std::vector<double> kernel(static_cast<std::size_t>(hidden * k * k));
    for (std::int64_t h = 0; h < hidden; ++h)
      kernel[static_cast<std::size_t>(h * k * k + k * k / 2)] = 1;
    set_host_values(parameters.at("dwconv.weight").master, kernel);
    set_host_values(parameters.at("dwconv.bias").master,
                    std::vector<double>(static_cast<std::size_t>(hidden)));
  });
  RC_ASSERT(unit == outputs(plain, keep));
}

// Exact: the same rows multiplied by the same columns, in one product or in two.
RC_GTEST_PROP(Identity, OneMatrixForGateAndUpIsTheTwo, ()) {
  const FeedForwardSite site = random_site();
  const std::int64_t hidden = between(1, 24);
  const RandomDesign split = design_of(with_hidden("glu(gelu", hidden), site);
  for (const bool gate_first : {true, false}) {
    RandomDesign fused = split;
    fused.text =
        with_hidden("glu(gelu", hidden, gate_first ? ", fused=gate-up" : ", fused=up-gate");
    const auto joined = outputs(fused, [&](ParameterSet& parameters) {
      for (const bool gate : {true, false}) {
        const std::string part = gate ? "gate" : "up";
        const std::int64_t begin = gate == gate_first ? 0 : hidden;
        put_rows(parameters.at("gate_up.weight").master, begin,
                 named_numbers(part + ".weight", hidden * site.width, 0.5));
        if (!site.bias) continue;
        std::vector<double> bias = host_values(parameters.at("gate_up.bias").master);
        const auto values = named_numbers(part + ".bias", hidden, 0.5);
        std::copy(values.begin(), values.end(), bias.begin() + begin);
        set_host_values(parameters.at("gate_up.bias").master, bias);
      }
    });
    assert_close(outputs(split, keep), joined, 1e-5);
  }
}

// Tolerance: two products in place of one, of at most 24 terms each.
RC_GTEST_PROP(Identity, FullRankIsThePlainLayer, ()) {
  FeedForwardSite site = random_site();
  const std::int64_t hidden = between(1, 24), rank = std::min(hidden, site.width);
  const RandomDesign plain = design_of(with_hidden("mlp(gelu", hidden), site);
  RandomDesign factored = plain;
  factored.text = "lowrank(" + plain.text + ", rank=" + std::to_string(rank) + ")";
  const auto full = outputs(factored, [&](ParameterSet& parameters) {
    for (const char* part : {"up", "down"}) {
      const std::string name = part;
      const std::int64_t out = name == "up" ? hidden : site.width;
      const std::int64_t in = name == "up" ? site.width : hidden;
      // W = W·I or I·W, whichever side is the shorter.
      const std::vector<double> weight = named_numbers(name + ".weight", out * in, 0.5);
      std::vector<double> unit(static_cast<std::size_t>(rank * rank));
      for (std::int64_t i = 0; i < rank; ++i) unit[static_cast<std::size_t>(i * rank + i)] = 1;
      const bool wide = in > out;
      set_host_values(parameters.at(name + ".a.weight").master, wide ? weight : unit);
      set_host_values(parameters.at(name + ".b.weight").master, wide ? unit : weight);
      if (site.bias)
        set_host_values(parameters.at(name + ".b.bias").master,
                        named_numbers(name + ".bias", out, 0.5));
    }
  });
  assert_close(outputs(plain, keep), full, 1e-5);
}

// Exact: what comes later changes nothing.
RC_GTEST_PROP(Identity, CausalDesignsDoNotSeeWhatComesLater, ()) {
  RandomDesign design = random_design(false, false);
  RC_PRE(design.site.causal && design.site.tokens > 1);
  Executor ex(cpu_device(serial_pool()));
  RandomLayer made(ex, design, DType::f32);
  const NoTape no_tape(ex);
  const Tensor x = made.input("x");
  const auto before = host_values(made.forward(ex.constant(x)).tensor);
  const std::int64_t t = between(1, design.site.tokens - 1);
  for (float& value : host_span<float>(x.slice_rows(t, 1))) value += 1;
  const auto after = host_values(made.forward(ex.constant(x)).tensor);
  RC_ASSERT(std::equal(before.begin(), before.begin() + t * made.width, after.begin()));
}

}  // namespace
}  // namespace ffn::test
