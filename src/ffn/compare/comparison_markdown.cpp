#include <string_view>

#include "ffn/compare/comparison_report.h"
#include "ffn/compare/design_experts.h"
#include "ffn/compare/expert_panel.h"
#include "ffn/compare/report_tables.h"
#include "ffn/compare/report_texts.h"

namespace ffn::inline v0 {
namespace {

// Foreign text as itself: no HTML, no emphasis, no link, no code. Table bars are to_text()'s care.
std::string escaped_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '\n' || c == '\r') {
      out += ' ';
    } else {
      if (std::string_view("\\`*[]_#").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

// The second line of a cell goes into brackets.
Table one_line_cells(Table table) {
  for (std::vector<Cell>& row : table.rows) {
    for (Cell& cell : row) {
      if (cell.kind != Cell::Kind::text) continue;
      const std::size_t end = cell.text.find('\n');
      if (end != std::string::npos)
        cell.text = cell.text.substr(0, end) + " (" + cell.text.substr(end + 1) + ")";
      cell.text = escaped_markdown(cell.text);
    }
  }
  return table;
}

}  // namespace

std::string comparison_markdown(const ComparisonResult& result) {
  std::string text = "# " + escaped_markdown(result.title) + "\n\n";
  if (!result.scale.empty())
    text += "**" + escaped_markdown(result.scale) + "**: " + scale_text(result.scale) + "\n\n";
  text += "**" + escaped_markdown(result.verdict.sentence) + "**\n\n";
  for (const std::string& note : {cost_text(result), certainty_text(result)})
    if (!note.empty()) text += escaped_markdown(note) + "\n\n";
  text += to_text(one_line_cells(main_table(result).table), TableFormat::md);
  if (has_experts(result))
    text += "\n" + escaped_markdown(expert_text(result)) + "\n\n" +
            to_text(one_line_cells(expert_table(result)), TableFormat::md);
  if (!result.pairs.empty())
    text += "\n" + to_text(one_line_cells(reading_table(result)), TableFormat::md);
  return text;
}

}  // namespace ffn::inline v0
