// A layer at a plain site with weights of its own, and what it makes of fixed rows.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feedforward/designs.h"
#include "ffn/tensor/host.h"

namespace ffn::test {

using Numbers = std::vector<double>;

struct MadeLayer {
  static constexpr std::int64_t kSequences = 2, kTokens = 7;

  MadeLayer(std::string_view text, bool bias, DType dtype = DType::f32)
      : ex(dtype == DType::f32 ? cpu_device(serial_pool()) : reference_device()) {
    FeedForwardSite site;
    site.width = kWidth;
    site.tokens = kTokens;
    site.bias = bias;
    layer = standard_designs().build(standard_designs().parse(text), site, parameters);
    parameters.finalize(ex, dtype);
    for (Parameter& parameter : parameters.all())
      set_host_values(parameter.stored(),
                      numbers(parameter.name.c_str(), parameter.shape.count(), 0.5));
  }

  Tensor rows(const char* name) {
    const TensorSpec spec{
        {kSequences * kTokens, kWidth}, parameters.weights().dtype(), Role::activation};
    const Tensor made = ex.allocate_persistent(spec, Tag::data);
    set_host_values(made, numbers(name, spec.shape.count(), 1));
    return made;
  }
  // In inference.
  Numbers output() {
    const EvalScope scope(ex);
    return host_values(layer->forward(ex, ex.constant(rows("x")), kSequences).tensor);
  }
  // A step of training without an optimizer: gradients, and states moved.
  void train_step() {
    parameters.reset_gradients();
    const StepScope step(ex);
    ex.backward(layer->forward(ex, ex.constant(rows("x")), kSequences), rows("seed"));
    parameters.complete_gradients(ex);
  }

  // Expert e's part of every weight under "experts." in `from`.
  void take_expert(ParameterSet& from, std::int64_t e) {
    for (Parameter& parameter : parameters.all()) {
      const Numbers all = host_values(from.at("experts." + parameter.name).master);
      const auto count = static_cast<std::ptrdiff_t>(parameter.shape.count());
      set_host_values(parameter.master, {all.begin() + e * count, all.begin() + (e + 1) * count});
    }
  }

  Executor ex;
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

inline void expect_near(const Numbers& found, const Numbers& expected, double relative) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], relative * largest) << i;
}

}  // namespace ffn::test
