// A dot plot as one SVG element: one row per thing, its single values as dots, their mean as a
// larger mark, an interval as a line.
#pragma once

#include <string>
#include <vector>

#include "ffn/report/axis_ticks.h"
#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {

struct DotRow {
  std::string name;
  std::string value;         // the mean as text, at the end of the row's name
  std::vector<double> dots;  // the single values
  double mean = 0;
  double low = 0, high = 0;  // the interval; none unless low < high
  bool marked = false;       // its name stands out
  std::size_t look = 0;
};

struct DotPlot {
  std::string title;
  std::string description;  // for who cannot see it
  Axis x;
  std::vector<DotRow> rows;                        // from the top down
  std::string dot_name, mean_name, interval_name;  // in the key; an empty one is left out
};

// Names stand above their rows, so that they may be long. Values that are not finite are left out.
std::string svg_dot_plot(const DotPlot& plot, SvgStyle style);

}  // namespace ffn::inline v0
