// One HTML page that needs nothing else: no script, no outside resource; light and dark, for a
// desk, a telephone and paper.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffn/report/table.h"

namespace ffn::inline v0 {

struct HtmlTableLook {
  std::vector<std::size_t> marked{};  // rows that stand out …
  std::string mark{};                 // … with this word after their first cell
  bool sentences = false;             // the first column holds sentences, not names
  bool cards = false;                 // on a telephone one card per row instead of scrolling
};

// How a column's name is read: "train_peak_bytes" as "Train peak", the unit standing in the cells;
// a name that is not snake_case stays as it is.
std::string human_header(const Column& column);

// Builds the page from the top down. All text given is escaped here, SVG is not.
class HtmlPage {
 public:
  explicit HtmlPage(std::string_view title);

  // A small label such as "demo scale", and the sentence that explains it.
  void badge(std::string_view label, std::string_view explanation);
  // The answer, large, with what qualifies it below; empty notes are left out.
  void verdict(std::string_view sentence, std::span<const std::string> notes = {});
  void section(std::string_view title);
  void subsection(std::string_view title);
  void paragraph(std::string_view text);
  // A list of terms and what they mean.
  void key_values(std::span<const std::pair<std::string, std::string>> pairs);
  void list(std::span<const std::string> items);
  // Text shown with its line breaks, in a fixed-width face.
  void code(std::string_view text);
  // Numbers are right-aligned. A line feed in a text cell starts a smaller second line.
  void table(const Table& table, const HtmlTableLook& look = {});
  // An SVG in SvgStyle::in_page with its caption. Figures added one after the other stand side by
  // side where there is room; a wide one has its caption beside it instead.
  void figure(std::string_view svg, std::string_view caption, bool wide = false);

  std::string str() const;

 private:
  void close_figures();
  void block(std::string_view html);

  std::string title_;
  std::string body_;
  bool in_figures_ = false;
};

}  // namespace ffn::inline v0
