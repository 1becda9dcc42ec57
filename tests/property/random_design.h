// Random designs in random places: 200 cases of each property.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ffn/autograd/initialize.h"
#include "ffn/base/philox.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"

namespace ffn::test {

// A design's text with a place where it may stand.
struct RandomDesign {
  std::string text;
  FeedForwardSite site;
  std::int64_t sequences = 1;

  std::int64_t rows() const { return sequences * site.tokens; }
};

inline void showValue(const RandomDesign& d, std::ostream& out) {
  out << d.text << " at width " << d.site.width << ", " << d.sequences << " × " << d.site.tokens
      << " tokens, grid " << d.site.grid.height << " × " << d.site.grid.width << " behind "
      << d.site.grid.prefix << (d.site.bias ? ", biases" : ", no biases");
}

// Of any registered design. `smooth`: an activation without a kink; `statistics`: designs with
// batch norm may come too.
RandomDesign random_design(bool smooth, bool statistics);

// The numbers of a layer, all of them functions of their names: weights 0.5·z, inputs z.
std::vector<double> named_numbers(std::string_view name, std::int64_t count, double scale);

struct RandomLayer {
  RandomLayer(Executor& executor, const RandomDesign& design, DType dtype);
  Tensor input(std::string_view name) const;
  Value forward(const Value& x) const { return layer->forward(ex, x, sequences); }

  Executor& ex;
  std::int64_t rows, width, sequences;
  DType dtype;
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

// Largest magnitude, at least `least`.
double largest_of(const std::vector<double>& values, double least = 1e-30);

}  // namespace ffn::test
