// The sentences of the report that depend on what was found.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// What a scale label such as "demo scale" means for the reader.
std::string scale_text(const std::string& scale);

// What the leading design costs beside the cheapest in each respect; empty without runs.
std::string cost_text(const ComparisonResult& result);

// How far the tests reach: seeds, or these trained models only.
std::string certainty_text(const ComparisonResult& result);

// Each design with its canonical text and what the registry says of it.
std::vector<std::pair<std::string, std::string>> design_pairs(const ComparisonResult& result);

// Model, data, recipe, budget, seeds, held-out examples, …: only what is known.
std::vector<std::pair<std::string, std::string>> setting_pairs(const ComparisonResult& result);

// The words that the tables and tests use, explained; only those that this comparison needs.
std::vector<std::pair<std::string, std::string>> glossary(const ComparisonResult& result);

}  // namespace ffn::inline v0
