#include "ffn/report/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include "ffn/report/plot_frame.h"

namespace ffn::inline v0 {
namespace {

constexpr double kAreaHeight = 260;
constexpr double kMarker = 5;
constexpr std::size_t kMarkersPerCurve = 8;

struct DataRange {
  double low = 0, high = 0;
  bool empty = true;

  void add(double value) {
    low = empty ? value : std::min(low, value);
    high = empty ? value : std::max(high, value);
    empty = false;
  }
};

bool shows(const Axis& axis, double value) {
  return std::isfinite(value) && (!axis.logarithmic || value > 0);
}

bool shows_bar(const Axis& axis, double low, double high) {
  return low < high && shows(axis, low) && shows(axis, high);
}

std::vector<PlotSeries> drawable(const Plot& plot) {
  std::vector<PlotSeries> series = plot.series;
  for (PlotSeries& one : series)
    std::erase_if(one.points, [&](const PlotPoint& point) {
      return !shows(plot.x, point.x) || !shows(plot.y, point.y);
    });
  std::erase_if(series, [](const PlotSeries& one) { return one.points.empty(); });
  return series;
}

// Single points keep off the frame, so that they and their names have room; curves may touch it.
void pad(DataRange& range, const Axis& axis, bool points_only) {
  if (!points_only || axis.logarithmic) return;
  const double room = 0.06 * (range.high - range.low);
  const bool share = axis.style == NumberStyle::percent && range.high <= 1;
  range.low = range.low >= 0 ? std::max(0.0, range.low - room) : range.low - room;
  range.high = share ? std::min(1.0, range.high + room) : range.high + room;
}

class PlotDrawing {
 public:
  PlotDrawing(const Plot& plot, SvgStyle style)
      : plot_(plot), style_(style), series_(drawable(plot)) {}

  std::string draw() {
    const double top = draw_heading(svg_, plot_.title);
    svg_.text(12, top + 16, plot_.y.title, kPlotText, Anchor::start, "p-muted");
    if (series_.empty()) return without_points(top + 30);
    set_frame(top + 30);
    draw_y_axis(svg_, frame_);
    double bottom = draw_x_axis(svg_, frame_, plot_.x.title);
    for (const PlotSeries& one : series_) draw_line(one);
    for (const PlotSeries& one : series_) draw_points(one);
    bottom = draw_legend(svg_, legend(!draw_labels()), bottom + 4);
    return svg_.whole(kPlotWidth, bottom + 4, plot_.title, plot_.description, style_);
  }

 private:
  std::string without_points(double top) {
    svg_.line(12, top + 80, kPlotWidth - 12, top + 80, "p-axis");
    svg_.text(kPlotWidth / 2, top + 45, "No values were recorded.", kPlotText, Anchor::middle,
              "p-muted");
    return svg_.whole(kPlotWidth, top + 96, plot_.title, plot_.description, style_);
  }

  void set_frame(double top) {
    DataRange x, y;
    for (const PlotSeries& one : series_) {
      for (const PlotPoint& point : one.points) {
        x.add(point.x);
        y.add(point.y);
        if (shows_bar(plot_.x, point.x_low, point.x_high)) {
          x.add(point.x_low);
          x.add(point.x_high);
        }
        if (shows_bar(plot_.y, point.y_low, point.y_high)) {
          y.add(point.y_low);
          y.add(point.y_high);
        }
      }
    }
    const bool points_only = std::ranges::none_of(
        series_, [](const PlotSeries& one) { return one.line == PlotLine::straight; });
    pad(x, plot_.x, points_only);
    pad(y, plot_.y, points_only);
    frame_.y = axis_ticks(plot_.y, y.low, y.high, 5);
    const double left = std::max(30.0, y_label_width(frame_.y) + 4);
    frame_.area = {left, top, kPlotWidth - 18, top + kAreaHeight};
    frame_.x = fitted_x_ticks(plot_.x, x.low, x.high, frame_.area.right - left);
  }

  void draw_line(const PlotSeries& one) {
    if (one.line == PlotLine::none) return;
    std::string path = "M";
    const auto add = [&](double x, double y) { path += svg_number(x) + " " + svg_number(y) + "L"; };
    const bool down = one.line == PlotLine::staircase_down;
    const bool stairs = down || one.line == PlotLine::staircase;
    double before = down ? frame_.area.top : frame_.area.bottom, x_before = 0;
    for (const PlotPoint& point : one.points) {
      const double x = frame_.px(point.x), y = frame_.py(point.y);
      if (stairs) {
        add(x, before);
        avoided_.push_back({x - 2, std::min(y, before), x + 2, std::max(y, before)});
        if (x_before > 0) avoided_.push_back({x_before, before - 2, x, before + 2});
      }
      add(x, y);
      before = y;
      x_before = x;
    }
    if (stairs) {
      add(frame_.area.right, before);
      avoided_.push_back({x_before, before - 2, frame_.area.right, before + 2});
    }
    path.pop_back();
    svg_.open_group(one.neutral ? "p-neutral" : colour_class(one.look), one.name);
    svg_.raw("<path d=\"" + path +
             "\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" "
             "stroke-linejoin=\"round\"" +
             std::string(dashes(one.look, one.neutral)) + "/>");
    svg_.close_group();
  }

  void draw_points(const PlotSeries& one) {
    const std::size_t count = one.points.size();
    const bool curve = one.line != PlotLine::none;
    // Curves that run together show their markers at different places.
    const std::size_t stride = curve ? (count + kMarkersPerCurve - 1) / kMarkersPerCurve : 1;
    const std::size_t first = one.look % kPlotLooks * stride / kPlotLooks;
    for (std::size_t i = 0; i < count; ++i) {
      const PlotPoint& point = one.points[i];
      svg_.open_group(colour_class(one.look), curve ? std::string{} : spoken(one, point));
      draw_bars(point);
      if (one.markers && i % stride == first)
        svg_.raw(marker_svg(one.look, frame_.px(point.x), frame_.py(point.y), kMarker));
      svg_.close_group();
    }
  }

  void draw_bars(const PlotPoint& point) {
    constexpr std::string_view kStroke = R"(stroke="currentColor" stroke-width="1.6")";
    const double x = frame_.px(point.x), y = frame_.py(point.y);
    if (shows_bar(plot_.x, point.x_low, point.x_high)) {
      const double low = frame_.px(point.x_low), high = frame_.px(point.x_high);
      svg_.line(low, y, high, y, "", kStroke);
      for (const double end : {low, high}) svg_.line(end, y - 4, end, y + 4, "", kStroke);
      obstacles_.push_back({low, y - 4, high, y + 4});
    }
    if (shows_bar(plot_.y, point.y_low, point.y_high)) {
      const double low = frame_.py(point.y_low), high = frame_.py(point.y_high);
      svg_.line(x, low, x, high, "", kStroke);
      for (const double end : {low, high}) svg_.line(x - 4, end, x + 4, end, "", kStroke);
      obstacles_.push_back({x - 4, high, x + 4, low});
    }
    obstacles_.push_back({x - kMarker - 2, y - kMarker - 2, x + kMarker + 2, y + kMarker + 2});
  }

  std::string spoken(const PlotSeries& one, const PlotPoint& point) const {
    return one.name + ": " + to_text(point.y, plot_.y.style) + " at " +
           to_text(point.x, plot_.x.style);
  }

  // False when the names must go into a legend.
  bool draw_labels() {
    if (plot_.key != PlotKey::labels) return false;
    std::vector<LabelRequest> requests;
    std::vector<const PlotSeries*> named;
    for (const PlotSeries& one : series_) {
      if (one.line != PlotLine::none) continue;
      named.push_back(&one);
      requests.push_back({frame_.px(one.points[0].x), frame_.py(one.points[0].y),
                          text_width(one.name, kPlotText), kPlotText + 1});
    }
    const Box& area = frame_.area;
    const std::vector<Box> boxes = place_labels(
        requests, obstacles_, avoided_, {area.left + 3, area.top, kPlotWidth - 4, area.bottom});
    for (std::size_t i = 0; i < boxes.size(); ++i) draw_label(*named[i], requests[i], boxes[i]);
    return !boxes.empty();
  }

  void draw_label(const PlotSeries& one, const LabelRequest& request, const Box& box) {
    const double x = std::clamp(request.x, box.left, box.right);
    const double y = std::clamp(request.y, box.top, box.bottom);
    // From here on the eye needs a lead from the name to its point.
    constexpr double kLeadFrom = 12;
    if (std::hypot(x - request.x, y - request.y) > kLeadFrom)
      svg_.line(request.x, request.y, x, y, "p-axis", R"(stroke-width="0.8")");
    svg_.text((box.left + box.right) / 2, box.bottom - 3, one.name, kPlotText, Anchor::middle,
              "p-ink p-halo");
  }

  std::vector<LegendEntry> legend(bool with_points) const {
    std::vector<LegendEntry> entries;
    for (const PlotSeries& one : series_) {
      const bool line = one.line != PlotLine::none;
      if (line || with_points)
        entries.push_back({one.name, one.look, line, one.markers, one.neutral});
    }
    return entries;
  }

  const Plot& plot_;
  SvgStyle style_;
  std::vector<PlotSeries> series_;
  SvgWriter svg_;
  PlotFrame frame_;
  std::vector<Box> obstacles_;  // marks and error bars
  std::vector<Box> avoided_;    // the steps of a staircase
};

}  // namespace

std::string svg_plot(const Plot& plot, SvgStyle style) { return PlotDrawing(plot, style).draw(); }

}  // namespace ffn::inline v0
