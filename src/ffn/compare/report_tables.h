// The tables of the report, in human units; a line feed in a cell starts its smaller second line.
#pragma once

#include <cstddef>
#include <vector>

#include "ffn/compare/comparison_result.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {

// What a reader chooses by, best design first; `leaders` are the rows that verdict.leaders name.
struct MainTable {
  Table table;
  std::vector<std::size_t> leaders;
};
MainTable main_table(const ComparisonResult& result);

// The pairwise tests with the reading of each, those of the leading design first.
Table reading_table(const ComparisonResult& result);

// Validation quality of every learning rate tried, a column per rate; no rows when there was no
// grid.
Table learning_rate_table(const ComparisonResult& result);

// What follows from the design alone, and what was measured; in the order of the comparison.
Table size_table(const ComparisonResult& result);
Table measured_table(const ComparisonResult& result);

}  // namespace ffn::inline v0
