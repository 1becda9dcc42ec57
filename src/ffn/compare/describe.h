// A comparison's settings in words, for people who were not there.
#pragma once

#include "ffn/compare/comparison_result.h"
#include "ffn/compare/prepare.h"

namespace ffn::inline v0 {

// What there is to say of a data set, from its measure and counts.
struct DataLines {
  std::string data;      // "fashion-mnist: 55,000 training pictures of 28 × 28 pixels, 10 classes"
  std::string held_out;  // which examples were held out, and read when
};
DataLines data_lines(const std::string& name, const DataFacts& data);

// Fills measure, title, scale, question, claim, model, data, recipe, budget, held_out, dtype,
// margin, seeds, steps and batch.
void describe(const Comparison& comparison, const DataFacts& data, ComparisonResult& result);

}  // namespace ffn::inline v0
