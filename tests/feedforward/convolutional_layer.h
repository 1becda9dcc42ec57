// A layer over a grid behind class tokens with chosen numbers, for the tests of designs that
// normalise over it.
#pragma once

#include <string>
#include <vector>

#include "ffn/base/philox.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"

namespace ffn::test {

using Numbers = std::vector<double>;

// Standard normals of the stream `name`, rounded to f32.
inline Numbers normals(const std::string& name, std::int64_t count) {
  const RandomStream stream(9, name);
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(
        static_cast<double>(static_cast<float>(stream.normal(0, static_cast<std::uint64_t>(i)))));
  return values;
}

struct GridLayer {
  GridLayer(Executor& executor, std::string_view text, const FeedForwardSite& at, DType type)
      : ex(executor), site(at), dtype(type) {
    layer = standard_designs().build(standard_designs().parse(text), site, parameters);
    parameters.finalize(ex, dtype);
  }

  // Every weight 0.5 times normals of its name; means likewise, variances in [0.5, 1.5) or so.
  void draw() {
    for (Parameter& parameter : parameters.all()) {
      Numbers values = normals(parameter.name, parameter.shape.count());
      for (double& value : values) value *= 0.5;
      set_host_values(parameter.master, values);
    }
    for (State& state : parameters.states()) {
      Numbers values = normals(state.name, state.shape.count());
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = i < values.size() / 2
                        ? 0.5 * values[i]
                        : static_cast<double>(static_cast<float>(0.5 + values[i] * values[i]));
      set_host_values(state.tensor, values);
    }
    parameters.weights_changed(ex);
  }

  // rows [N, D] of whole sequences.
  Tensor tensor(const Numbers& rows) const {
    const auto count = static_cast<std::int64_t>(rows.size()) / site.width;
    const TensorSpec spec{{count, site.width}, dtype, Role::activation};
    Tensor x = ex.allocate_persistent(spec, Tag::data);
    set_host_values(x, rows);
    return x;
  }
  Numbers eval(const Numbers& rows, std::int64_t sequences) const {
    const EvalScope scope(ex);
    return host_values(layer->forward(ex, ex.constant(tensor(rows)), sequences).tensor);
  }
  Numbers train(const Numbers& rows, std::int64_t sequences) const {
    const StepScope step(ex);
    const NoTape no_tape(ex);
    return host_values(layer->forward(ex, ex.constant(tensor(rows)), sequences).tensor);
  }

  Executor& ex;
  FeedForwardSite site;
  DType dtype;
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

inline FeedForwardSite grid_site(const TokenGrid& grid, std::int64_t width, bool bias = true) {
  FeedForwardSite site;
  site.width = width;
  site.grid = grid;
  site.bias = bias;
  return site;
}

// Row `row` of x [N, D].
inline Numbers row_of(const Numbers& x, std::int64_t width, std::int64_t row) {
  return {x.begin() + row * width, x.begin() + (row + 1) * width};
}

}  // namespace ffn::test
