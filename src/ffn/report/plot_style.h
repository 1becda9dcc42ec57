// How plots look: colours that the colour-blind can tell apart (after Okabe and Ito), a marker of
// its own for each series, and both a light and a dark dress.
#pragma once

#include <cstddef>
#include <string>

namespace ffn::inline v0 {

// Where an SVG will stand: inside a page that holds plot_css() itself, or as a file of its own.
enum class SvgStyle { in_page, file };

// Series beyond this many look like earlier ones.
inline constexpr std::size_t kPlotLooks = 12;

// For a page: the variables --paper, --ink, --muted, --grid, --c0 … --c7 in both dresses and the
// classes that plots use. For a file: the classes alone, with the colours written out.
std::string plot_css(SvgStyle style);

// The class that sets a series' colour: "p-c3".
std::string colour_class(std::size_t look);

// True for series that would share a colour and shape if theirs were not hollow and dashed.
bool is_hollow(std::size_t look);

// The marker of a series about (x, y), as an SVG element without its colour; `radius` 5 is usual.
std::string marker_svg(std::size_t look, double x, double y, double radius);

}  // namespace ffn::inline v0
