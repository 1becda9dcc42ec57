// A comparison's settings in words, for people who were not there.
#pragma once

#include "ffn/compare/comparison_result.h"
#include "ffn/compare/prepare.h"

namespace ffn::inline v0 {

// Fills title, scale, question, claim, model, data, recipe, budget, held_out, dtype, margin, seeds,
// steps and batch.
void describe(const Comparison& comparison, const DataFacts& data, ComparisonResult& result);

}  // namespace ffn::inline v0
