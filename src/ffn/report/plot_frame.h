// What every plot has around its points: heading, axes, grid and legend.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ffn/report/axis_ticks.h"
#include "ffn/report/label_placement.h"
#include "ffn/report/svg_writer.h"

namespace ffn::inline v0 {

// All plots are this wide, in units of their view box: on a telephone one unit is then about 0.75
// pixels, and the text of size kPlotText can still be read.
inline constexpr double kPlotWidth = 480;
inline constexpr double kPlotText = 13;

struct PlotFrame {
  Box area;  // of the points
  AxisTicks x, y;

  double px(double value) const { return area.left + x.share(value) * (area.right - area.left); }
  double py(double value) const { return area.bottom - y.share(value) * (area.bottom - area.top); }
};

struct LegendEntry {
  std::string name;
  std::size_t look = 0;
  bool line = false, marker = true;
  bool neutral = false;  // a dashed grey line, no series
};

// The title over one or more lines; returns the lower edge.
double draw_heading(SvgWriter& svg, std::string_view title);

// The axis with as many ticks as have room for their labels on `width`.
AxisTicks fitted_x_ticks(const Axis& axis, double low, double high, double width);

// Ticks and title below the area, with grid lines over it; returns the lower edge.
double draw_x_axis(SvgWriter& svg, const PlotFrame& frame, std::string_view title);

// Grid lines, and labels left of the area; the title belongs above it and is drawn by the plot.
void draw_y_axis(SvgWriter& svg, const PlotFrame& frame);

// Space that the labels of a y axis need left of the area.
double y_label_width(const AxisTicks& ticks);

// Below `top`, over the whole width; returns the lower edge.
double draw_legend(SvgWriter& svg, std::span<const LegendEntry> entries, double top);

// Dash pattern attribute of a series' line; empty for a solid one.
std::string_view dashes(std::size_t look, bool neutral);

}  // namespace ffn::inline v0
