// A plot of y against x as one SVG element: curves, or points with error bars.
#pragma once

#include <string>
#include <vector>

#include "ffn/report/axis_ticks.h"
#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {

struct PlotPoint {
  double x = 0, y = 0;
  // Error bars, drawn where low < high.
  double x_low = 0, x_high = 0, y_low = 0, y_high = 0;
};

enum class PlotLine {
  none,
  straight,
  // The border of what the points dominate, where small x and large y are good: from the lower
  // edge up through them (x ascending) and on to the right edge.
  staircase,
  staircase_down,  // the same where small y is good: from the upper edge down through them
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points{};
  PlotLine line = PlotLine::none;
  bool markers = true;   // on a long curve on a few points only
  bool neutral = false;  // a dashed grey line that belongs to no series
  std::size_t look = 0;  // colour and marker; the same number, the same look in every plot
};

enum class PlotKey {
  legend,
  labels,  // names beside the points, of which each series has one; a legend when they do not fit
};

struct Plot {
  std::string title;
  std::string description{};  // for who cannot see it
  Axis x, y;
  std::vector<PlotSeries> series{};  // up to kPlotLooks with looks of their own
  PlotKey key = PlotKey::legend;
};

// Points that are not finite, or not positive on a logarithmic axis, are left out; without any
// point the plot says so. The same plot gives the same text.
std::string svg_plot(const Plot& plot, SvgStyle style);

}  // namespace ffn::inline v0
