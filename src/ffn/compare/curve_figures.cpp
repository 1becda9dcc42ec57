#include <algorithm>
#include <map>

#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_words.h"
#include "ffn/report/svg_plot.h"

namespace ffn::inline v0 {
namespace {

// More points than pixels only make the page heavy.
constexpr std::size_t kMostPoints = 160;

// Runs of neighbouring points become their mean.
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points) {
  const std::size_t stride = (points.size() + kMostPoints - 1) / kMostPoints;
  if (stride <= 1) return points;
  std::vector<PlotPoint> fewer;
  for (std::size_t first = 0; first < points.size(); first += stride) {
    const std::size_t end = std::min(points.size(), first + stride);
    PlotPoint mean;
    for (std::size_t i = first; i < end; ++i) {
      mean.x += points[i].x / static_cast<double>(end - first);
      mean.y += points[i].y / static_cast<double>(end - first);
    }
    fewer.push_back(mean);
  }
  return fewer;
}

// The mean over seeds at every step that all runs reached.
template <class Point, class Value>
std::vector<PlotPoint> mean_curve(const DesignResult& design,
                                  std::vector<Point> RunResult::* points, const Value& value) {
  std::map<std::int64_t, std::pair<double, std::size_t>> sums;
  for (const RunResult& run : design.runs) {
    for (const Point& point : run.*points) {
      auto& [sum, count] = sums[point.step];
      sum += value(point);
      ++count;
    }
  }
  std::vector<PlotPoint> curve;
  for (const auto& [step, entry] : sums) {
    const auto& [sum, count] = entry;
    if (count == design.runs.size())
      curve.push_back({static_cast<double>(step), sum / static_cast<double>(count)});
  }
  return thinned(curve);
}

template <class Point, class Value>
void add_curves(Plot& plot, const ComparisonResult& result, std::vector<Point> RunResult::* points,
                const Value& value) {
  for (std::size_t i = 0; i < result.designs.size(); ++i)
    plot.series.push_back({.name = label_of(result, i),
                           .points = mean_curve(result.designs[i], points, value),
                           .line = PlotLine::straight,
                           .look = i});
}

}  // namespace

std::vector<ComparisonFigure> curve_figures(const ComparisonResult& result, SvgStyle style) {
  const MeasureWords& words = words_of(result.measure);
  const std::string mean = result.seeds.size() > 1 ? "Mean over the seeds. " : "";
  const Axis steps{"training step", NumberStyle::count};
  Plot loss{.title = "Training loss",
            .description = "The training loss of each design against the training step.",
            .x = steps,
            .y = {"training loss (cross-entropy)"}};
  add_curves(loss, result, &RunResult::losses, [](const LossPoint& point) { return point.loss; });
  const std::string name = "validation " + words.name;
  Plot validation{.title = capitalized(name),
                  .description = "The " + name + " of each design against the training step.",
                  .x = steps,
                  .y = {name, words.style, false, kLeastQualitySpan}};
  add_curves(validation, result, &RunResult::validations,
             [&](const ValidationPoint& point) { return quality(point, result.measure); });
  return {{"training_loss", svg_plot(loss, style),
           mean + "How wrong the model still is on the " + plural(words.item) +
               " it learns from; lower is better."},
          {"validation_" + words.key, svg_plot(validation, style), mean + words.validation}};
}

}  // namespace ffn::inline v0
