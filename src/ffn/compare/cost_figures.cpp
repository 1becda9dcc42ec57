#include <algorithm>
#include <string_view>

#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/pareto_front.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"
#include "ffn/report/svg_plot.h"

namespace ffn::inline v0 {
namespace {

struct Cost {
  double value = 0, low = 0, high = 0;  // 0: not measured
};

struct CostAxis {
  std::string name;   // of the file
  std::string title;  // of the figure
  std::string noun;   // in the caption: "training time"
  Axis axis;
};

// Costs further apart than this are shown on a logarithmic axis.
constexpr double kLogarithmicFrom = 8;
// Costs nearer than this are called the same, and the axis does not spread them out.
constexpr double kSameWithin = 0.02;
constexpr double kLeastRelativeSpan = 0.1;

void set_scale(Axis& axis, const std::vector<Cost>& costs) {
  double least = 0, most = 0;
  for (const Cost& cost : costs) {
    if (cost.value <= 0) continue;
    least = least == 0 ? cost.value : std::min(least, cost.value);
    most = std::max(most, cost.value);
  }
  axis.logarithmic = most > kLogarithmicFrom * least;
  axis.least_span = kLeastRelativeSpan * most;
}

std::string front_caption(const MeasureWords& words, const CostAxis& cost_axis,
                          const std::vector<std::string>& names, std::size_t designs,
                          bool same_cost) {
  if (same_cost) return "All designs cost nearly the same here, so only the height matters.";
  if (names.size() == 1)
    return names[0] + " " + words.is_best + " and has the least " + cost_axis.noun +
           ": it beats or equals every other in both (the Pareto front is this one design).";
  if (names.size() == designs)
    return "Every design is on the Pareto front: " + words.better_takes + " more " +
           cost_axis.noun + ".";
  return "On the Pareto front: " + listed(names) +
         ". Each other design is beaten by one of these, which " + words.is_not_worse +
         " and has no more " + cost_axis.noun + ".";
}

ComparisonFigure cost_figure(const std::vector<ShownDesign>& designs, Measure measure,
                             CostAxis cost_axis, const std::vector<Cost>& costs, SvgStyle style) {
  const MeasureWords& words = words_of(measure);
  const bool up = higher_is_better(measure);
  set_scale(cost_axis.axis, costs);
  Plot plot{.title = cost_axis.title,
            .x = cost_axis.axis,
            .y = {"test " + words.name, words.style, false, kLeastQualitySpan},
            .key = PlotKey::labels};
  std::vector<CostAndValue> points;
  for (std::size_t i = 0; i < designs.size(); ++i) {
    const ShownDesign& shown = designs[i];
    if (!shown.has_runs() || costs[i].value <= 0) continue;
    points.push_back({costs[i].value, up ? shown.test_mean : -shown.test_mean});
    plot.series.push_back({.name = shown.label,
                           .points = {{costs[i].value, shown.test_mean, costs[i].low, costs[i].high,
                                       shown.interval.low, shown.interval.high}},
                           .look = shown.index});
  }
  if (points.size() < 2) return {};
  const auto [least, most] = std::ranges::minmax(points, {}, &CostAndValue::cost);
  const bool same_cost = most.cost <= (1 + kSameWithin) * least.cost;
  PlotSeries front{.name = "Pareto front",
                   .line = up ? PlotLine::staircase : PlotLine::staircase_down,
                   .markers = false,
                   .neutral = true};
  std::vector<std::string> names;
  for (const std::size_t i : pareto_front(points)) {
    front.points.push_back({points[i].cost, plot.series[i].points[0].y});
    names.push_back(plot.series[i].name);
  }
  const std::string caption = front_caption(words, cost_axis, names, points.size(), same_cost);
  plot.description = caption;
  if (!same_cost) plot.series.insert(plot.series.begin(), std::move(front));
  return {cost_axis.name, svg_plot(plot, style), caption};
}

Cost exactly(std::int64_t value) {
  const auto number = static_cast<double>(value);
  return {number, number, number};
}

template <class Value>
std::vector<Cost> costs_of(const std::vector<ShownDesign>& designs, const Value& value) {
  std::vector<Cost> costs;
  for (const ShownDesign& shown : designs) costs.push_back(value(shown));
  return costs;
}

// Seconds, minutes or hours, whichever the longest training needs.
std::pair<double, std::string_view> time_unit(const std::vector<ShownDesign>& designs) {
  double most = 0;
  for (const ShownDesign& shown : designs) most = std::max(most, shown.train_s);
  if (most >= 2 * 3600) return {3600, "hours"};
  if (most >= 120) return {60, "minutes"};
  return {1, "seconds"};
}

}  // namespace

std::vector<ComparisonFigure> cost_figures(const ComparisonResult& result, SvgStyle style) {
  const std::vector<ShownDesign> designs = shown_designs(result);
  std::vector<ComparisonFigure> figures;
  const auto add = [&](CostAxis axis, const std::vector<Cost>& costs) {
    ComparisonFigure figure = cost_figure(designs, result.measure, std::move(axis), costs, style);
    if (!figure.svg.empty()) figures.push_back(std::move(figure));
  };
  const auto [unit_s, unit_name] = time_unit(designs);
  const std::string key = words_of(result.measure).key;
  const std::string name = capitalized(words_of(result.measure).name);
  add({key + "_by_training_time",
       name + " against training time",
       "training time",
       {"training time (" + std::string(unit_name) + ": steps × median step)"}},
      costs_of(designs, [unit = unit_s](const ShownDesign& shown) {
        return Cost{shown.train_s / unit, shown.train_s_low / unit, shown.train_s_high / unit};
      }));
  add({key + "_by_training_memory",
       name + " against memory for training",
       "memory for training",
       {"peak memory of tensors in training", NumberStyle::bytes}},
      costs_of(designs, [](const ShownDesign& shown) { return exactly(shown.train_peak_bytes); }));
  add({key + "_by_inference_memory",
       name + " against memory for use",
       "memory for use",
       {"peak memory of tensors in use (inference)", NumberStyle::bytes}},
      costs_of(designs,
               [](const ShownDesign& shown) { return exactly(shown.inference_peak_bytes); }));
  add({key + "_by_parameters",
       name + " against parameters",
       "parameters",
       {"parameters of the whole model", NumberStyle::count}},
      costs_of(designs, [&](const ShownDesign& shown) {
        return exactly(result.designs[shown.index].parameters);
      }));
  return figures;
}

}  // namespace ffn::inline v0
