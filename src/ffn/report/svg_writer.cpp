#include "ffn/report/svg_writer.h"

#include <algorithm>
#include <cstddef>

#include "ffn/report/axis_ticks.h"
#include "ffn/report/escape.h"

namespace ffn::inline v0 {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

// In parts of the face's size; measured by eye on common sans-serif faces and rounded up.
double width_of(char c) {
  constexpr std::string_view kNarrow = " .,:;|!'()[]iljtfr/";
  constexpr std::string_view kWide = "mwMW@%";
  if (kNarrow.find(c) != std::string_view::npos) return 0.36;
  if (kWide.find(c) != std::string_view::npos) return 0.92;
  if (c >= 'A' && c <= 'Z') return 0.7;
  return (static_cast<unsigned char>(c) & 0x80u) != 0 ? 0.9 : 0.59;
}

std::vector<std::string> code_points(std::string_view text) {
  std::vector<std::string> points;
  for (const char c : text) {
    if (points.empty() || !continues(c)) points.emplace_back();
    points.back() += c;
  }
  return points;
}

}  // namespace

std::string svg_number(double value) {
  std::string text = fixed_text(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

double text_width(std::string_view text, double size) {
  double width = 0;
  for (const char c : text)
    if (!continues(c)) width += width_of(c);
  return width * size;
}

std::string fitted_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  const std::vector<std::string> points = code_points(text);
  for (std::size_t kept = points.size(); kept-- > 2;) {
    std::string shorter;
    const std::size_t head = (kept + 1) / 2, tail = kept - head;
    for (std::size_t i = 0; i < head; ++i) shorter += points[i];
    shorter += "…";
    for (std::size_t i = points.size() - tail; i < points.size(); ++i) shorter += points[i];
    if (text_width(shorter, size) <= width) return shorter;
  }
  return "…";
}

std::vector<std::string> wrapped_text(std::string_view text, double size, double width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string word(text.substr(0, space));
    text = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1);
    if (lines.empty() || text_width(lines.back() + " " + word, size) > width) {
      lines.push_back(word);
    } else {
      lines.back() += " " + word;
    }
  }
  return lines;
}

void SvgWriter::line(double x0, double y0, double x1, double y1, std::string_view css_class,
                     std::string_view more) {
  body_ += "<line x1=\"" + svg_number(x0) + "\" y1=\"" + svg_number(y0) + "\" x2=\"" +
           svg_number(x1) + "\" y2=\"" + svg_number(y1) + "\"";
  if (!css_class.empty()) body_.append(" class=\"").append(css_class).append("\"");
  body_.append(more.empty() ? "" : " ").append(more).append("/>\n");
}

void SvgWriter::text(double x, double y, std::string_view text, double size, Anchor anchor,
                     std::string_view css_class, std::string_view more) {
  body_ += "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" font-size=\"" +
           svg_number(size) + "\"";
  if (anchor == Anchor::middle) body_ += " text-anchor=\"middle\"";
  if (anchor == Anchor::end) body_ += " text-anchor=\"end\"";
  body_.append(" class=\"").append(css_class).append("\"");
  body_.append(more.empty() ? "" : " ").append(more).append(">");
  body_ += escaped_xml(text) + "</text>\n";
}

void SvgWriter::open_group(std::string_view css_class, std::string_view hover) {
  body_.append("<g class=\"").append(css_class).append("\">");
  if (!hover.empty()) body_ += "<title>" + escaped_xml(hover) + "</title>";
  body_ += "\n";
}

std::string SvgWriter::whole(double width, double height, std::string_view title,
                             std::string_view description, SvgStyle style) const {
  const std::string w = svg_number(width), h = svg_number(height);
  std::string svg = "<svg role=\"img\" viewBox=\"0 0 " + w + " " + h + "\"";
  // A file names its size for viewers that look for one; in a page the style sheet decides.
  if (style == SvgStyle::file)
    svg += " xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h + "\"";
  svg += " font-family=\"system-ui, 'Segoe UI', 'Liberation Sans', Arial, sans-serif\">\n";
  svg += "<title>" + escaped_xml(title) + "</title>\n";
  svg += "<desc>" + escaped_xml(description) + "</desc>\n";
  if (style == SvgStyle::file) svg += "<style>\n" + plot_css(style) + "</style>\n";
  svg += "<rect width=\"" + w + "\" height=\"" + h + "\" class=\"p-paper\"/>\n";
  return svg + body_ + "</svg>\n";
}

}  // namespace ffn::inline v0
