#include "ffn/report/plot_style.h"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "ffn/report/svg_writer.h"

namespace ffn::inline v0 {
namespace {

struct Colour {
  const char* name;
  const char* light;
  const char* dark;
};

constexpr std::array<Colour, 4> kGround{{
    {"paper", "#ffffff", "#15181c"},
    {"ink", "#1b1f24", "#e8eaed"},
    {"muted", "#57606a", "#a2abb5"},
    {"grid", "#dde1e6", "#343a41"},
}};

// Okabe and Ito's, the light dress darkened to 3:1 on white and the dark one lightened; their
// yellow, which no ground of both dresses carries, became brown.
constexpr std::array<Colour, 8> kSeries{{
    {"c0", "#0072b2", "#4ea3ee"},
    {"c1", "#d55e00", "#ff8442"},
    {"c2", "#00896b", "#2cc79a"},
    {"c3", "#b5558a", "#e791c2"},
    {"c4", "#b97a00", "#f0b030"},
    {"c5", "#2f93d1", "#9ad6ff"},
    {"c6", "#4a5058", "#c3c9d0"},
    {"c7", "#7a4a1e", "#c2946a"},
}};

// Looks 8 to 11 are hollow forms of the first four shapes, each in another colour than those have.
constexpr std::array<std::size_t, kPlotLooks> kColourOf{0, 1, 2, 3, 4, 5, 6, 7, 2, 3, 0, 1};

std::string variables(const char* Colour::* dress) {
  std::string text;
  for (const Colour& colour : kGround)
    text += std::string("--") + colour.name + ":" + colour.*dress + ";";
  for (const Colour& colour : kSeries)
    text += std::string("--") + colour.name + ":" + colour.*dress + ";";
  return text;
}

template <class Value>
std::string classes(const Value& value) {
  std::string text = ".p-paper{fill:" + value(kGround[0]) + "}.p-ink{fill:" + value(kGround[1]) +
                     "}.p-muted{fill:" + value(kGround[2]) +
                     "}.p-grid{stroke:" + value(kGround[3]) +
                     "}.p-axis{stroke:" + value(kGround[2]) +
                     "}.p-halo{paint-order:stroke;stroke-linejoin:round;stroke-width:3px;stroke:" +
                     value(kGround[0]) + "}.p-edge{stroke:" + value(kGround[0]) +
                     "}.p-neutral{color:" + value(kGround[2]) + "}";
  for (const Colour& colour : kSeries)
    text += std::string(".p-") + colour.name + "{color:" + value(colour) + "}";
  return text + "\n";
}

using Corners = std::vector<std::pair<double, double>>;

// Corners on the unit circle, the first at `turn` of a full turn from the top; every second one at
// `inner` of the radius.
Corners regular(int count, double turn, double inner = 1) {
  Corners corners;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * (turn + static_cast<double>(i) / count);
    const double radius = i % 2 == 0 ? 1 : inner;
    corners.emplace_back(radius * std::sin(angle), -radius * std::cos(angle));
  }
  return corners;
}

// Shapes 1 to 7, scaled so that they look about as large as the circle.
Corners corners_of(std::size_t shape) {
  constexpr double kArm = 0.42;  // half the width of the cross' arms
  switch (shape) {
    case 1: return regular(4, 0.125);
    case 2: return regular(3, 0);
    case 3: return regular(4, 0);
    case 4: return regular(3, 0.5);
    case 5: return regular(5, 0);
    case 6:
      return {{-kArm, -1}, {kArm, -1}, {kArm, -kArm}, {1, -kArm}, {1, kArm},   {kArm, kArm},
              {kArm, 1},   {-kArm, 1}, {-kArm, kArm}, {-1, kArm}, {-1, -kArm}, {-kArm, -kArm}};
    default: return regular(10, 0, 0.45);
  }
}

}  // namespace

std::string plot_css(SvgStyle style) {
  if (style == SvgStyle::in_page) {
    return ":root{" + variables(&Colour::light) +
           "}\n@media screen and (prefers-color-scheme:dark){:root{" + variables(&Colour::dark) +
           "}}\n" +
           classes([](const Colour& colour) { return std::string("var(--") + colour.name + ")"; });
  }
  return classes([](const Colour& colour) { return std::string(colour.light); }) +
         "@media (prefers-color-scheme:dark){" +
         classes([](const Colour& colour) { return std::string(colour.dark); }) + "}\n";
}

std::string colour_class(std::size_t look) {
  return std::string("p-") + kSeries[kColourOf[look % kPlotLooks]].name;
}

bool is_hollow(std::size_t look) { return look % kPlotLooks >= kSeries.size(); }

std::string marker_svg(std::size_t look, double x, double y, double radius) {
  const std::size_t shape =
      is_hollow(look) ? look % kPlotLooks - kSeries.size() : look % kPlotLooks;
  const std::string paint = is_hollow(look)
                                ? R"( class="p-paper" stroke="currentColor" stroke-width="2")"
                                : R"( fill="currentColor" class="p-edge" stroke-width="1")";
  if (shape == 0) {
    return "<circle cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) + "\" r=\"" +
           svg_number(radius) + "\"" + paint + "/>";
  }
  // Triangles and stars fill less of their circle than squares do.
  const double size = radius * (shape == 6 ? 1.05 : shape == 1 ? 1.2 : 1.3);
  std::string path = "M";
  for (const auto& [dx, dy] : corners_of(shape))
    path += svg_number(x + size * dx) + " " + svg_number(y + size * dy) + "L";
  path.back() = 'Z';
  return "<path d=\"" + path + "\"" + paint + "/>";
}

}  // namespace ffn::inline v0
