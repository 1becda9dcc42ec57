#include "ffn/report/share_bars.h"

#include <algorithm>
#include <cmath>

#include "ffn/report/plot_frame.h"

namespace ffn::inline v0 {
namespace {

constexpr double kNameHeight = 24, kBarHeight = 14, kRowHeight = 21, kGroupGap = 8;
constexpr double kLeft = 12, kRight = kPlotWidth - 12;
constexpr double kLargestGap = 1.5;  // between pieces; less where they are small

template <class Text>
double widest(const ShareBars& plot, const Text& text) {
  double width = 0;
  for (const ShareGroup& group : plot.groups)
    for (const ShareBar& bar : group.bars)
      width = std::max(width, text_width(text(bar), kPlotText));
  return width;
}

double height_of(const ShareGroup& group) {
  return kNameHeight + kRowHeight * static_cast<double>(group.bars.size()) + kGroupGap;
}

std::string piece(double left, double top, double width) {
  return "<rect x=\"" + svg_number(left) + "\" y=\"" + svg_number(top) + "\" width=\"" +
         svg_number(width) + "\" height=\"" + svg_number(kBarHeight) + "\" fill=\"currentColor\"/>";
}

void draw_pieces(SvgWriter& svg, const ShareBar& bar, const PlotFrame& frame, double top) {
  double sum = 0;
  for (const double share : bar.shares) {
    if (!std::isfinite(share) || share <= 0) continue;
    const double left = frame.px(std::min(sum, 1.0));
    sum += share;
    const double width = frame.px(std::min(sum, 1.0)) - left;
    // Narrower than the numbers of the picture are written: nothing to see.
    const double seen = width - std::min(kLargestGap, width / 4);
    if (seen >= 0.1) svg.raw(piece(left, top, seen));
  }
}

void draw_group(SvgWriter& svg, const ShareGroup& group, const PlotFrame& frame, double top) {
  svg.open_group(colour_class(group.look), group.name);
  svg.text(kLeft, top + 16, fitted_text(group.name, kPlotText * 1.08, kRight - kLeft), kPlotText,
           Anchor::start, "p-ink p-halo", "font-weight=\"600\"");
  double y = top + kNameHeight;
  for (const ShareBar& bar : group.bars) {
    svg.text(frame.area.left - 8, y + 12, bar.name, kPlotText, Anchor::end, "p-ink");
    draw_pieces(svg, bar, frame, y);
    svg.text(kRight, y + 12, bar.value, kPlotText, Anchor::end, "p-ink");
    y += kRowHeight;
  }
  svg.close_group();
}

}  // namespace

std::string svg_share_bars(const ShareBars& plot, SvgStyle style) {
  SvgWriter svg;
  const double top = draw_heading(svg, plot.title) + 4;
  double bottom = top;
  for (const ShareGroup& group : plot.groups) bottom += height_of(group);
  PlotFrame frame;
  const double names = widest(plot, [](const ShareBar& bar) { return bar.name; });
  const double values = widest(plot, [](const ShareBar& bar) { return bar.value; });
  frame.area = {kLeft + names + 8, top, kRight - values - 10, bottom};
  frame.x = fitted_x_ticks(plot.x, 0, 1, frame.area.right - frame.area.left);
  const double end = draw_x_axis(svg, frame, plot.x.title);
  double y = top;
  for (const ShareGroup& group : plot.groups) {
    draw_group(svg, group, frame, y);
    y += height_of(group);
  }
  return svg.whole(kPlotWidth, end + 4, plot.title, plot.description, style);
}

}  // namespace ffn::inline v0
