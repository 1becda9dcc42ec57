// Numbers and findings of a comparison in words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

std::string p_text(double p);                // "0.012", "< 0.001"
std::string bytes_text(std::int64_t bytes);  // "20.5 MiB"
// Three digits, but whole numbers in full: 0.0123, 12.3, 1234.
double rounded(double value);
std::string number_text(double value);  // rounded, "1,234"
// "5 seeds (1, 2, 3, 4, 5)"
std::string seeds_text(const std::vector<std::uint64_t>& seeds);
// "a, b and c"
std::string listed(const std::vector<std::string>& names);

// What the label of a design is: `label`, or its canonical text.
std::string label_of(const ComparisonResult& result, std::size_t design);

// "seeds"; "test pictures, these trained models only"
std::string basis_text(PairBasis basis, Measure measure);
std::string outcome_text(PairOutcome outcome);  // "first better"

// One row of the pairwise tests for a reader who knows no statistics: "dwconv(gelu) better than
// mlp(gelu) by 2.10 points (1.40 to 2.80)".
std::string pair_reading(const ComparisonResult& result, const PairResult& pair);

// "+2.00, +2.20": the differences of a pair seed by seed, as pair.first − pair.second or the other
// way round.
std::string per_seed_text(const PairResult& pair, Measure measure, bool reversed = false);

}  // namespace ffn::inline v0
