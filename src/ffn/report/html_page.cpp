#include "ffn/report/html_page.h"

#include <algorithm>
#include <array>

#include "ffn/report/escape.h"
#include "ffn/report/html_style.h"

namespace ffn::inline v0 {
namespace {

std::string element(std::string_view tag, std::string_view text) {
  const std::string name(tag);
  return "<" + name + ">" + escaped_xml(text) + "</" + name + ">";
}

bool is_number(const Cell& cell) {
  return cell.kind == Cell::Kind::whole || cell.kind == Cell::Kind::number;
}

// Right-aligned: a number, or a text in a column made for numbers ("91.2 %\n90.8 to 91.6 %").
bool is_numeric(const Column& column, const std::vector<Cell>& row, std::size_t at) {
  return is_number(row[at]) || column.style != NumberStyle::plain;
}

// The head stands over its numbers.
bool is_numeric(const Table& table, std::size_t at) {
  return std::ranges::any_of(
      table.rows, [&](const auto& row) { return is_numeric(table.columns[at], row, at); });
}

// `mark` goes behind the first line.
std::string cell_html(const Cell& cell, NumberStyle style, std::string_view mark = {}) {
  const std::string text = to_text(cell, style);
  const std::size_t end = text.find('\n');
  std::string html = escaped_xml(std::string_view(text).substr(0, end));
  if (!mark.empty()) html += " <span class=\"mark\">" + escaped_xml(mark) + "</span>";
  if (end != std::string::npos)
    html += "<small>" + escaped_xml(std::string_view(text).substr(end + 1)) + "</small>";
  return html;
}

// Longer cells may break, and take the whole width of a card.
constexpr std::size_t kLongCell = 30;

std::string classes_of(const Column& column, const std::vector<Cell>& row, std::size_t at) {
  const bool is_long = row[at].kind == Cell::Kind::text && row[at].text.size() > kLongCell;
  const bool numeric = is_numeric(column, row, at);
  if (!numeric && !is_long) return "";
  return std::string(" class=\"") + (numeric ? "n" : "") + (numeric && is_long ? " " : "") +
         (is_long ? "long" : "") + "\"";
}

std::string row_html(const Table& table, const std::vector<Cell>& row, bool marked,
                     std::string_view mark) {
  std::string html = marked ? "<tr class=\"marked\">" : "<tr>";
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Column& column = table.columns[i];
    if (i == 0) {
      html += "<th scope=\"row\">" + cell_html(row[i], column.style, marked ? mark : "") + "</th>";
    } else {
      html += "<td data-label=\"" + escaped_xml(human_header(column)) + "\"" +
              classes_of(column, row, i) + ">" + cell_html(row[i], column.style) + "</td>";
    }
  }
  return html + "</tr>\n";
}

}  // namespace

std::string human_header(const Column& column) {
  const std::string& name = column.name;
  const bool snake =
      std::ranges::all_of(name, [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
  if (!snake || name.size() < 2) return name;
  std::string text = name;
  constexpr std::array<std::pair<NumberStyle, std::string_view>, 2> kUnits{
      {{NumberStyle::bytes, "_bytes"}, {NumberStyle::flops, "_flops"}}};
  for (const auto& [style, unit] : kUnits)
    if (column.style == style && text.ends_with(unit) && text.size() > unit.size())
      text.resize(text.size() - unit.size());
  if (text.ends_with("_per_s")) text.replace(text.size() - 6, 6, " per second");
  if (text.ends_with("_ms")) text.replace(text.size() - 3, 3, " (ms)");
  std::ranges::replace(text, '_', ' ');
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

HtmlPage::HtmlPage(std::string_view title) : title_(title) { block(element("h1", title)); }

void HtmlPage::badge(std::string_view label, std::string_view explanation) {
  block("<div class=\"badge\" role=\"note\">" + element("b", label) + element("span", explanation) +
        "</div>");
}

void HtmlPage::verdict(std::string_view sentence, std::span<const std::string> notes) {
  std::string html = "<div class=\"verdict\">" + element("p", sentence);
  for (const std::string& note : notes)
    if (!note.empty()) html += element("p", note);
  block(html + "</div>");
}

void HtmlPage::section(std::string_view title) { block(element("h2", title)); }
void HtmlPage::subsection(std::string_view title) { block(element("h3", title)); }
void HtmlPage::paragraph(std::string_view text) { block(element("p", text)); }

void HtmlPage::key_values(std::span<const std::pair<std::string, std::string>> pairs) {
  std::string html = "<dl>\n";
  for (const auto& [key, value] : pairs) html += element("dt", key) + element("dd", value) + "\n";
  block(html + "</dl>");
}

void HtmlPage::list(std::span<const std::string> items) {
  std::string html = "<ul>\n";
  for (const std::string& item : items) html += element("li", item) + "\n";
  block(html + "</ul>");
}

void HtmlPage::code(std::string_view text) {
  block("<pre><code>" + escaped_xml(text) + "</code></pre>");
}

void HtmlPage::table(const Table& table, const HtmlTableLook& look) {
  // A box that scrolls must be reachable without a mouse.
  std::string html = std::string("<div tabindex=\"0\" class=\"table") +
                     (look.cards ? " cards" : "") + (look.sentences ? " sentences" : "") + "\">";
  html += "<table>\n";
  html += "<thead><tr>";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    html += is_numeric(table, i) && i > 0 ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">";
    html += escaped_xml(human_header(table.columns[i])) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const bool marked = std::ranges::find(look.marked, i) != look.marked.end();
    html += row_html(table, table.rows[i], marked, look.mark);
  }
  block(html + "</tbody></table></div>");
}

void HtmlPage::figure(std::string_view svg, std::string_view caption, bool wide) {
  const std::string html = "<figure" + std::string(wide ? " class=\"wide\"" : "") + ">\n" +
                           std::string(svg) +
                           (caption.empty() ? "" : element("figcaption", caption)) + "</figure>\n";
  if (wide) {
    block(html);
    return;
  }
  if (!in_figures_) body_ += "<div class=\"figures\">\n";
  in_figures_ = true;
  body_ += html;
}

void HtmlPage::close_figures() {
  if (in_figures_) body_ += "</div>\n";
  in_figures_ = false;
}

void HtmlPage::block(std::string_view html) {
  close_figures();
  body_.append(html).push_back('\n');
}

std::string HtmlPage::str() const {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'unsafe-inline'\">\n" +
         element("title", title_) + "\n<style>\n" + html_css() +
         "</style>\n</head>\n<body>\n<main>\n" + body_ + (in_figures_ ? "</div>\n" : "") +
         "</main>\n</body>\n</html>\n";
}

}  // namespace ffn::inline v0
