// The few SVG elements that plots are made of, and how wide text will be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ffn/report/plot_style.h"

namespace ffn::inline v0 {

// With at most one decimal: "12.5", "7".
std::string svg_number(double value);

// An estimate, slightly too wide, for a sans-serif face of the given size.
double text_width(std::string_view text, double size);

// At most `width` wide: what is too long loses its middle to "…".
std::string fitted_text(std::string_view text, double size, double width);

// Lines of whole words; a single word may stay wider than `width`.
std::vector<std::string> wrapped_text(std::string_view text, double size, double width);

enum class Anchor { start, middle, end };

// Collects elements; positions are in units of the view box, text is escaped here.
class SvgWriter {
 public:
  // `css_class` sets the colour: "p-grid", "p-axis" or, with stroke "currentColor", that of a
  // surrounding group. `more` are further attributes, written as they are.
  void line(double x0, double y0, double x1, double y1, std::string_view css_class,
            std::string_view more = {});
  void text(double x, double y, std::string_view text, double size, Anchor anchor,
            std::string_view css_class, std::string_view more = {});
  // A group in the colour of a class, with a text shown on hovering.
  void open_group(std::string_view css_class, std::string_view hover = {});
  void close_group() { body_ += "</g>\n"; }
  void raw(std::string_view element) { body_.append(element).push_back('\n'); }

  // One <svg> element of the given size about everything so far, on a ground of paper.
  std::string whole(double width, double height, std::string_view title,
                    std::string_view description, SvgStyle style) const;

 private:
  std::string body_;
};

}  // namespace ffn::inline v0
