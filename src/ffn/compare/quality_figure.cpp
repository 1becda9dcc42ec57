#include <algorithm>

#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/shown_design.h"
#include "ffn/report/dot_plot.h"

namespace ffn::inline v0 {
namespace {

std::string caption_of(const MeasureWords& words, std::size_t seeds) {
  std::string text = words.caption + "; designs stand in the order of their mean. ";
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

ComparisonFigure quality_figure(const ComparisonResult& result, SvgStyle style) {
  const MeasureWords& words = words_of(result.measure);
  DotPlot plot;
  plot.title = "Test " + words.name + " of each design";
  plot.x = {"test " + words.name, words.style, false, kLeastQualitySpan};
  plot.mean_name = "mean over seeds, in the design's own colour and shape";
  plot.dot_name = "one seed";
  std::size_t seeds = 0;
  std::string spoken;
  for (const ShownDesign& shown : ranked_designs(result)) {
    if (!shown.has_runs()) continue;
    seeds = std::max(seeds, shown.test.size());
    const auto& leaders = result.verdict.leaders;
    plot.rows.push_back({.name = shown.label,
                         .value = quality_text(shown.test_mean, result.measure),
                         .dots = shown.test,
                         .mean = shown.test_mean,
                         .low = shown.interval.low,
                         .high = shown.interval.high,
                         .marked = result.designs.size() > 1 &&
                                   std::ranges::find(leaders, shown.index) != leaders.end(),
                         .look = shown.index});
    spoken += shown.label + ": " + quality_text(shown.test_mean, result.measure) + ". ";
  }
  plot.interval_name = seeds >= kSeedsForInterval ? "95 % interval of the mean"
                                                  : "from the lower to the higher seed";
  plot.description = "Mean test " + words.name + ". " + spoken;
  return {words.key, svg_dot_plot(plot, style), caption_of(words, seeds)};
}

}  // namespace ffn::inline v0
