#include "ffn/report/dot_plot.h"

#include <algorithm>
#include <cmath>

#include "ffn/report/plot_frame.h"

namespace ffn::inline v0 {
namespace {

constexpr double kRowHeight = 54;
constexpr double kLeft = 16, kRight = kPlotWidth - 16;

bool has_interval(const DotRow& row) {
  return std::isfinite(row.low) && std::isfinite(row.high) && row.low < row.high;
}

// A single value is its own mean; a second mark on it would only hide it.
bool has_mean(const DotRow& row) { return row.dots.size() != 1 && std::isfinite(row.mean); }

void draw_interval(SvgWriter& svg, double low, double high, double y) {
  constexpr std::string_view kStroke = R"(stroke="currentColor" stroke-width="2")";
  svg.line(low, y, high, y, "", kStroke);
  for (const double end : {low, high}) svg.line(end, y - 5, end, y + 5, "", kStroke);
}

std::string small_dot(double x, double y) {
  return "<circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) +
         "\" r=\"3.5\" class=\"p-paper\" stroke=\"currentColor\" stroke-width=\"1.6\"/>";
}

// Below the line, so that they hide no mean; dots that would hide each other step down.
void draw_dots(SvgWriter& svg, const DotRow& row, const PlotFrame& frame, double y) {
  std::vector<double> sorted = row.dots;
  std::erase_if(sorted, [](double value) { return !std::isfinite(value); });
  std::ranges::sort(sorted);
  double before = -100;
  int stacked = 0;
  for (const double value : sorted) {
    const double x = frame.px(value);
    stacked = x - before < 6 ? stacked + 1 : 0;
    svg.raw(small_dot(x, y + 6 * (stacked % 3)));
    before = x;
  }
}

void draw_row(SvgWriter& svg, const DotRow& row, const PlotFrame& frame, double top) {
  const double y = top + 28;
  const std::string_view weight = row.marked ? "font-weight=\"700\"" : "";
  const double room = kRight - kLeft - text_width(row.value, kPlotText) - 20;
  const std::string name = fitted_text(row.name, kPlotText * (row.marked ? 1.08 : 1), room);
  svg.open_group(colour_class(row.look), row.name + (row.value.empty() ? "" : ": " + row.value));
  svg.text(kLeft, top + 13, name, kPlotText, Anchor::start, "p-ink p-halo", weight);
  svg.text(kRight, top + 13, row.value, kPlotText, Anchor::end, "p-ink p-halo", weight);
  svg.line(kLeft, y, kRight, y, "p-grid", R"(stroke-dasharray="1 3")");
  if (has_interval(row)) draw_interval(svg, frame.px(row.low), frame.px(row.high), y);
  if (row.dots.size() == 1 && std::isfinite(row.dots[0]))
    svg.raw(marker_svg(row.look, frame.px(row.dots[0]), y, 6));
  if (has_mean(row)) svg.raw(marker_svg(row.look, frame.px(row.mean), y, 6));
  if (row.dots.size() > 1) draw_dots(svg, row, frame, y + 11);
  svg.close_group();
}

double draw_key(SvgWriter& svg, const DotPlot& plot, double top) {
  const bool interval = std::ranges::any_of(plot.rows, has_interval);
  const bool several =
      std::ranges::any_of(plot.rows, [](const DotRow& row) { return row.dots.size() > 1; });
  double y = top + 12;
  const auto say = [&](const std::string& name, bool shown, auto&& mark) {
    if (!shown || name.empty()) return;
    svg.open_group("p-neutral");
    mark(y);
    svg.close_group();
    svg.text(kLeft + 32, y + 4.5, name, kPlotText, Anchor::start, "p-ink");
    y += 20;
  };
  say(plot.mean_name, several, [&](double at) { svg.raw(marker_svg(3, kLeft + 12, at, 6)); });
  say(plot.dot_name, several, [&](double at) { svg.raw(small_dot(kLeft + 12, at)); });
  say(plot.interval_name, interval, [&](double at) { draw_interval(svg, kLeft, kLeft + 24, at); });
  return y - 2;
}

}  // namespace

std::string svg_dot_plot(const DotPlot& plot, SvgStyle style) {
  SvgWriter svg;
  const double top = draw_heading(svg, plot.title) + 12;
  std::vector<double> values;
  for (const DotRow& row : plot.rows) {
    values.insert(values.end(), row.dots.begin(), row.dots.end());
    if (has_mean(row)) values.push_back(row.mean);
    if (has_interval(row)) values.insert(values.end(), {row.low, row.high});
  }
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) values.push_back(0);
  const auto [low, high] = std::ranges::minmax(values);
  PlotFrame frame;
  // Half a mark of room at both ends: no mark crosses the edge of the picture.
  frame.area = {kLeft + 12, top, kRight - 12,
                top + kRowHeight * static_cast<double>(plot.rows.size()) + 4};
  frame.x = fitted_x_ticks(plot.x, low, high, frame.area.right - frame.area.left);
  const double bottom = draw_x_axis(svg, frame, plot.x.title);
  for (std::size_t i = 0; i < plot.rows.size(); ++i)
    draw_row(svg, plot.rows[i], frame, top + kRowHeight * static_cast<double>(i));
  const double end = draw_key(svg, plot, bottom + 4);
  return svg.whole(kPlotWidth, end + 4, plot.title, plot.description, style);
}

}  // namespace ffn::inline v0
