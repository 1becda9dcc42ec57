// The figures of a comparison.
#pragma once

#include <string>
#include <vector>

#include "ffn/compare/comparison_result.h"
#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {

// An axis of qualities covers this much or more, one point or a hundredth of a bit: differences
// below it should not look large.
inline constexpr double kLeastQualitySpan = 0.01;

struct ComparisonFigure {
  std::string name;  // of a file: "accuracy_by_training_memory"
  std::string svg;
  std::string caption;  // what it shows and how to read it
};

// Test quality of each design: seeds, mean and interval.
ComparisonFigure quality_figure(const ComparisonResult& result, SvgStyle style);

// Training loss and validation quality against the step, means over seeds.
std::vector<ComparisonFigure> curve_figures(const ComparisonResult& result, SvgStyle style);

// Test quality against training time, memory of training, memory of use, and parameters, with the
// Pareto front; a cost that was measured of fewer than two designs has no figure.
std::vector<ComparisonFigure> cost_figures(const ComparisonResult& result, SvgStyle style);

// How each layer shares its load among its experts; none without experts.
std::vector<ComparisonFigure> expert_figures(const ComparisonResult& result, SvgStyle style);

}  // namespace ffn::inline v0
