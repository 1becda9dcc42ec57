// Bars of equal length, cut into shares, as one SVG element: who takes how much of a whole.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ffn/report/axis_ticks.h"
#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {

struct ShareBar {
  std::string name;            // before the bar
  std::string value;           // behind it
  std::vector<double> shares;  // of the whole bar, from the left
};

struct ShareGroup {
  std::string name;
  std::vector<ShareBar> bars;
  std::size_t look = 0;
};

struct ShareBars {
  std::string title;
  std::string description;  // for who cannot see it
  Axis x;                   // of the shares
  std::vector<ShareGroup> groups;
};

// From the top down. Shares that are not finite or not positive are left out; what would reach
// beyond the bar's end is cut.
std::string svg_share_bars(const ShareBars& plot, SvgStyle style);

}  // namespace ffn::inline v0
