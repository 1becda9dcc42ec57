// dense_layer: plain and gated feed-forward layers as one operation.
#include "ffn/ops/fused/dense_layer.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

struct Sizes {
  std::int64_t N, D, H;
};
struct Kind {
  Activation activation = Activation::gelu;
  bool gated = false, biased = true;
  HiddenMemory memory = HiddenMemory::store;
};

std::string name_of(const Sizes& s, const Kind& kind) {
  std::string name = sizes({s.N, s.D, s.H});
  name.append("_").append(to_string(kind.activation));
  if (kind.gated) name.append("_gated");
  if (!kind.biased) name.append("_unbiased");
  if (kind.memory == HiddenMemory::recompute) name.append("_recompute");
  return name;
}

OpCase layer(const Sizes& s, const Kind& kind) {
  OpCase added;
  added.op = "dense_layer";
  added.name = name_of(s, kind);
  added.inputs = {number("x", {s.N, s.D}), number("up", {s.H, s.D}), number("down", {s.D, s.H})};
  if (kind.gated) added.inputs.push_back(number("gate", {s.H, s.D}));
  if (kind.biased && kind.gated) added.inputs.push_back(number("gate_bias", {s.H}));
  if (kind.biased) added.inputs.push_back(number("up_bias", {s.H}));
  if (kind.biased) added.inputs.push_back(number("down_bias", {s.D}));
  added.run = [kind](CaseRun& c) {
    LayerWeights weights;
    weights.up = c.in[1];
    weights.down = c.in[2];
    if (kind.gated) weights.gate = c.in[3];
    if (kind.biased && kind.gated) weights.gate_bias = c.in[4];
    if (kind.biased) weights.up_bias = c.in[c.in.size() - 2];
    if (kind.biased) weights.down_bias = c.in.back();
    return dense_layer(c.ex, std::move(c.in[0]), weights, kind.activation, 1.5f, kind.memory);
  };
  added.accuracy = Accuracy::function;
  added.sums_in_steps = kind.gated;
  // A function between two sums, whose values are up to √D times those of the inputs; the gradient
  // of a gated layer multiplies three of them.
  added.units = kind.gated ? 64 : 16;
  added.bf16_inside = kind.gated ? 8 : 2;
  return added;
}

OpCase wanting_only(OpCase added, std::string_view input) {
  for (CaseInput& each : added.inputs) each.wants = each.name == input;
  added.name.append("_only_").append(input);
  return added;
}

}  // namespace

void add_dense_layer_cases(std::vector<OpCase>& cases) {
  using enum Activation;
  constexpr auto kRecompute = HiddenMemory::recompute;
  const auto add = [&](const Sizes& s, const Kind& kind) { add_case(cases, layer(s, kind)); };
  for (const HiddenMemory memory : {HiddenMemory::store, kRecompute}) {
    add({1, 1, 1}, {silu, true, true, memory});
    add({0, 5, 3}, {gelu, true, true, memory});
    add({3, 7, 9}, {relu2, false, false, memory});
    add({13, 8, 17}, {gelu, false, true, memory});
    add({17, 9, 33}, {silu, true, false, memory});
    add({40, 33, 24}, {gelu_tanh, true, true, memory});
  }
  // Several strips of hidden units, with a rest.
  add({12, 16, 400}, {swish, false, true});
  add({11, 12, 800}, {silu, true, true, kRecompute});
  for (const char* input : {"x", "up", "down", "gate", "gate_bias", "down_bias"})
    add_case(cases, wanting_only(layer({5, 6, 7}, {tanh, true, true}), input));
}

}  // namespace ffn::test
