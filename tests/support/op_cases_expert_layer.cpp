// expert_layer: layers of experts in one pass, without a tape.
#include "ffn/ops/expert_layer.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

struct Sizes {
  const char* name;
  std::int64_t D, H;
  std::vector<double> offsets;
};

// Ragged groups: none, few rows (no packing), more than a tile of registers, more than a block of
// rows; hidden widths of one strip and of several, with a rest.
std::vector<Sizes> all_sizes() {
  return {{"one_expert", 5, 3, {0, 4}},         {"empty_expert", 8, 17, {0, 2, 2, 11}},
          {"zero_rows", 7, 5, {0, 0, 0}},       {"blocks", 9, 33, {0, 1, 110, 119}},
          {"strips", 16, 300, {0, 10, 10, 13}}, {"deep", 400, 20, {0, 12, 15}}};
}

void add(std::vector<OpCase>& cases, const Sizes& sizes, bool gated, bool biased) {
  const auto E = static_cast<std::int64_t>(sizes.offsets.size()) - 1;
  const auto rows = static_cast<std::int64_t>(sizes.offsets.back());
  OpCase added{"expert_layer",
               std::string(sizes.name) + (gated ? "_gated" : "") + (biased ? "_biased" : ""),
               {number("x", {rows, sizes.D}), index("offsets", sizes.offsets),
                number("up", {E * sizes.H, sizes.D}), number("down", {E * sizes.D, sizes.H})},
               [E, gated, biased](CaseRun& c) {
                 LayerWeights weights;
                 weights.up = c.in[2];
                 weights.down = c.in[3];
                 if (gated) weights.gate = c.in[4];
                 if (biased) {
                   weights.up_bias = c.in[c.in.size() - 2];
                   weights.down_bias = c.in.back();
                 }
                 return expert_layer(c.ex, std::move(c.in[0]), weights, c.in[1].tensor, E,
                                     gated ? Activation::silu : Activation::gelu);
               }};
  if (gated) added.inputs.push_back(number("gate", {E * sizes.H, sizes.D}));
  if (biased) {
    added.inputs.push_back(number("up_bias", {E, sizes.H}));
    added.inputs.push_back(number("down_bias", {E, sizes.D}));
  }
  added.recorded = false;
  added.accuracy = Accuracy::function;
  // A function between two sums, whose values are up to √D times those of the inputs.
  added.units = 16;
  added.bf16_inside = 2;
  add_case(cases, std::move(added));
}

}  // namespace

void add_expert_layer_cases(std::vector<OpCase>& cases) {
  for (const Sizes& sizes : all_sizes())
    for (const bool gated : {false, true}) add(cases, sizes, gated, gated);
  add(cases, all_sizes()[1], false, true);
  add(cases, all_sizes()[4], true, false);
}

}  // namespace ffn::test
