#include "ffn/report/plot_frame.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ffn::inline v0 {
namespace {

constexpr double kTitleText = 15;
constexpr double kMargin = 12;
constexpr double kLegendWidth = kPlotWidth - 2 * kMargin;
constexpr double kLegendLine = 20;
constexpr double kLegendMark = 32;  // line sample and gap before the name

double widest_label(const AxisTicks& ticks) {
  double width = 0;
  for (const Tick& tick : ticks.ticks) width = std::max(width, text_width(tick.label, kPlotText));
  return width;
}

struct Place {
  double x = 0, y = 0;
};

// In two or three columns where the longest name allows it, else one after the other like words.
std::vector<Place> legend_places(std::span<const LegendEntry> entries) {
  std::vector<double> widths;
  for (const LegendEntry& entry : entries)
    widths.push_back(kLegendMark + text_width(entry.name, kPlotText) + 12);
  const double columns = std::clamp(std::floor(kLegendWidth / std::ranges::max(widths)), 1.0, 3.0);
  const auto rows =
      static_cast<std::size_t>(std::ceil(static_cast<double>(entries.size()) / columns));
  std::vector<Place> places;
  double x = 0, y = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (columns > 1) {
      places.push_back({static_cast<double>(i / rows) * kLegendWidth / columns,
                        static_cast<double>(i % rows) * kLegendLine});
      continue;
    }
    if (x > 0 && x + widths[i] > kLegendWidth) {
      x = 0;
      y += kLegendLine;
    }
    places.push_back({x, y});
    x += widths[i];
  }
  return places;
}

}  // namespace

double draw_heading(SvgWriter& svg, std::string_view title) {
  double y = 8;
  for (const std::string& line : wrapped_text(title, kTitleText, kPlotWidth - 2 * kMargin)) {
    y += 18;
    svg.text(kMargin, y, line, kTitleText, Anchor::start, "p-ink", "font-weight=\"600\"");
  }
  return y + 4;
}

AxisTicks fitted_x_ticks(const Axis& axis, double low, double high, double width) {
  AxisTicks ticks;
  for (int wanted = 6; wanted >= 1; --wanted) {
    ticks = axis_ticks(axis, low, high, wanted);
    const double room = widest_label(ticks) + 14;
    bool fits = true;
    for (std::size_t i = 1; i < ticks.ticks.size(); ++i) {
      const double apart =
          ticks.share(ticks.ticks[i].value) - ticks.share(ticks.ticks[i - 1].value);
      fits = fits && apart * width >= room;
    }
    if (fits) break;
  }
  return ticks;
}

double draw_x_axis(SvgWriter& svg, const PlotFrame& frame, std::string_view title) {
  const Box& area = frame.area;
  double free_from = 0;  // labels that would touch the one before are left out
  for (const Tick& tick : frame.x.ticks) {
    const double x = frame.px(tick.value);
    svg.line(x, area.top, x, area.bottom, "p-grid");
    const double half = text_width(tick.label, kPlotText) / 2;
    const double middle = std::min(x, kPlotWidth - 2 - half);
    if (middle - half < free_from) continue;
    svg.text(middle, area.bottom + 17, tick.label, kPlotText, Anchor::middle, "p-muted");
    free_from = middle + half + 4;
  }
  svg.line(area.left, area.bottom, area.right, area.bottom, "p-axis");
  double y = area.bottom + 20;
  for (const std::string& line : wrapped_text(title, kPlotText, kPlotWidth - 2 * kMargin)) {
    y += 17;
    const double half = text_width(line, kPlotText) / 2;
    const double middle = std::clamp((area.left + area.right) / 2, std::min(half, kPlotWidth / 2),
                                     std::max(kPlotWidth - half, kPlotWidth / 2));
    svg.text(middle, y, line, kPlotText, Anchor::middle, "p-ink");
  }
  return y + 6;
}

void draw_y_axis(SvgWriter& svg, const PlotFrame& frame) {
  const Box& area = frame.area;
  for (const Tick& tick : frame.y.ticks) {
    const double y = frame.py(tick.value);
    svg.line(area.left, y, area.right, y, "p-grid");
    svg.text(area.left - 7, y + 4.5, tick.label, kPlotText, Anchor::end, "p-muted");
  }
}

double y_label_width(const AxisTicks& ticks) { return widest_label(ticks) + 12; }

double draw_legend(SvgWriter& svg, std::span<const LegendEntry> entries, double top) {
  if (entries.empty()) return top;
  const std::vector<Place> places = legend_places(entries);
  double bottom = top;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LegendEntry& entry = entries[i];
    const double x = kMargin + places[i].x, y = top + 12 + places[i].y;
    const std::string name = fitted_text(entry.name, kPlotText, kLegendWidth - kLegendMark);
    svg.open_group(entry.neutral ? "p-neutral" : colour_class(entry.look),
                   name == entry.name ? std::string{} : entry.name);
    if (entry.line) {
      std::string more = R"(stroke="currentColor" stroke-width="2")";
      svg.line(x, y, x + 24, y, "", more.append(dashes(entry.look, entry.neutral)));
    }
    if (entry.marker) svg.raw(marker_svg(entry.look, x + 12, y, 5));
    svg.close_group();
    svg.text(x + kLegendMark, y + 4.5, name, kPlotText, Anchor::start, "p-ink");
    bottom = std::max(bottom, y + 14);
  }
  return bottom;
}

std::string_view dashes(std::size_t look, bool neutral) {
  if (neutral) return R"( stroke-dasharray="5 4")";
  return is_hollow(look) ? R"( stroke-dasharray="9 3")" : "";
}

}  // namespace ffn::inline v0
