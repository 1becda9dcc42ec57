// A comparison for a reader who knows nothing of the project: a page, Markdown, and its figures.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// One self-contained HTML page: the verdict, what was compared, the results, figures, tests, costs
// and how to repeat it. Several comparisons become parts of one page, each with all of these.
std::string comparison_html(std::span<const ComparisonResult> results);

// Verdict, main table and pairwise tests, for documents.
std::string comparison_markdown(const ComparisonResult& result);

// The figures of the page as stand-alone SVG files: name without ending, content.
std::vector<std::pair<std::string, std::string>> comparison_plots(const ComparisonResult& result);

}  // namespace ffn::inline v0
