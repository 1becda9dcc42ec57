#include <algorithm>

#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"
#include "ffn/report/dot_plot.h"

namespace ffn::inline v0 {
namespace {

// One point: differences below it should not look large.
constexpr double kLeastAccuracySpan = 0.01;

std::string caption_of(std::size_t seeds) {
  std::string text =
      "Test accuracy: the share of pictures never used in training that the model names correctly. "
      "Further right is better; designs stand in the order of their mean. ";
  if (seeds >= kSeedsForInterval) {
    text +=
        "Each circle is one complete training with its own random seed. The line holds the mean "
        "that many more seeds would give, with 95 % confidence. Where lines overlap widely, look "
        "into the pairwise tests before you call one design better.";
  } else if (seeds == 2) {
    text +=
        "Each circle is one complete training with its own random seed. Two trainings are too few "
        "for an error bar: the line only joins them.";
  } else {
    text += "Each design was trained once, so how far another seed would move it is unknown.";
  }
  return text;
}

}  // namespace

ComparisonFigure accuracy_figure(const ComparisonResult& result, SvgStyle style) {
  DotPlot plot;
  plot.title = "Test accuracy of each design";
  plot.x = {"test accuracy", NumberStyle::percent, false, kLeastAccuracySpan};
  plot.mean_name = "mean over seeds, in the design's own colour and shape";
  plot.dot_name = "one seed";
  std::size_t seeds = 0;
  std::string spoken;
  for (const ShownDesign& shown : ranked_designs(result)) {
    if (!shown.has_runs()) continue;
    seeds = std::max(seeds, shown.test.size());
    const auto& leaders = result.verdict.leaders;
    plot.rows.push_back({.name = shown.label,
                         .value = percent_text(shown.test_mean),
                         .dots = shown.test,
                         .mean = shown.test_mean,
                         .low = shown.interval.low,
                         .high = shown.interval.high,
                         .marked = result.designs.size() > 1 &&
                                   std::ranges::find(leaders, shown.index) != leaders.end(),
                         .look = shown.index});
    spoken += shown.label + ": " + percent_text(shown.test_mean) + ". ";
  }
  plot.interval_name = seeds >= kSeedsForInterval ? "95 % interval of the mean"
                                                  : "from the lower to the higher seed";
  plot.description = "Mean test accuracy. " + spoken;
  return {"accuracy", svg_dot_plot(plot, style), caption_of(seeds)};
}

}  // namespace ffn::inline v0
