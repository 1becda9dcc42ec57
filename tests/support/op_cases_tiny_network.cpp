// tiny_network.
#include <algorithm>
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/tiny_network.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// Values of scale 1/√fan-in keep every layer's values near 1, so that errors of one layer neither
// grow nor vanish in the next.
std::vector<double> scaled_weights(const TinyNetworkShape& shape, std::string_view name) {
  const RandomStream stream(7, name);
  std::vector<double> values;
  for (std::int64_t l = 0; l <= shape.hidden_layers; ++l) {
    const float scale = 1.7f / std::sqrt(static_cast<float>(shape.in_of(l)));
    for (std::int64_t i = 0; i < shape.out_of(l) * shape.in_of(l); ++i) {
      const float magnitude = 0.1f + 1.4f * stream.uniform(0, values.size());
      const bool negative = (stream.word(1, values.size()) & 1u) != 0;
      values.push_back(static_cast<double>(scale * (negative ? -magnitude : magnitude)));
    }
  }
  return values;
}

// The longest way from a number to a gradient is 2·(L + 1) products and L activations, each with an
// error below (K + 16)·u of values near 1, K its longest sum. op_cases.h multiplies by the longest
// axis of an input, here the buffer of weights, which no sum runs over: `units` divides it out.
double units_of(const TinyNetworkShape& shape, std::int64_t rows) {
  const std::int64_t sum = std::max({shape.in, shape.out, shape.width, rows});
  const std::int64_t axis = std::max({shape.weights(), rows, shape.in});
  const std::int64_t steps = 3 * (shape.hidden_layers + 1);
  return static_cast<double>(steps * (sum + 16)) / static_cast<double>(axis + 16);
}

void add(std::vector<OpCase>& cases, std::int64_t rows, const TinyNetworkShape& shape,
         bool wants_x = true, bool wants_weights = true) {
  OpCase added;
  added.op = "tiny_network";
  added.name = std::string(to_string(shape.activation)) + "_" +
               sizes({rows, shape.in, shape.width, shape.hidden_layers, shape.out});
  if (!wants_x) added.name += "_only_weights";
  if (!wants_weights) added.name += "_only_x";
  CaseInput x = number("x", {rows, shape.in}), weights = number("weights", {shape.weights()});
  x.wants = wants_x;
  weights.wants = wants_weights;
  weights.values = scaled_weights(shape, added.name);
  added.inputs = {x, weights};
  added.run = [shape](CaseRun& c) {
    return tiny_network(c.ex, std::move(c.in[0]), c.in[1], shape);
  };
  added.accuracy = Accuracy::function;
  added.units = units_of(shape, rows);
  // Each layer's values, near 1, may be rounded on their way; the next layer passes on as much.
  added.bf16_inside = static_cast<double>(shape.hidden_layers);
  add_case(cases, std::move(added));
}

}  // namespace

void add_tiny_network_cases(std::vector<OpCase>& cases) {
  add(cases, 1, {16, 16, 16, 1});
  add(cases, 1, {3, 1, 16, 2});
  add(cases, 0, {5, 3, 16, 2});
  add(cases, 7, {7, 5, 16, 3});
  add(cases, 9, {17, 15, 16, 1, Activation::gelu});
  add(cases, 13, {9, 8, 16, 2, Activation::silu});
  add(cases, 5, {8, 9, 16, 2, Activation::swish, 1.5f});
  add(cases, 5, {15, 17, 32, 2, Activation::tanh});
  add(cases, 6, {1, 2, 48, 1, Activation::identity});
  add(cases, 6, {16, 7, 16, 2, Activation::relu2});
  add(cases, 4, {33, 3, 64, 1, Activation::gelu_tanh});
  add(cases, 11, {31, 64, 64, 2});
  add(cases, 5, {5, 3, 16, 1, Activation::hardswish}, false, true);
  add(cases, 5, {5, 3, 16, 2, Activation::sigmoid}, true, false);
  // Several blocks, chunks of rows and threads, each with a remainder.
  add(cases, 701, {7, 2, 16, 3});
  add(cases, 197, {3, 2, 16, 1, Activation::quick_gelu});
}

}  // namespace ffn::test
