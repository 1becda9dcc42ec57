#include "ffn/report/table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

std::string printed(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string with_commas(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

// 1536 by 1024 with "B", "KiB", …: "1.5 KiB".
std::string scaled(double value, double base, std::initializer_list<const char*> units) {
  auto unit = units.begin();
  while (std::abs(value) >= base && unit + 1 != units.end()) {
    value /= base;
    ++unit;
  }
  return printed(unit == units.begin() ? "%.0f" : "%.4g", value) + " " + *unit;
}

std::string styled(double value, NumberStyle style) {
  switch (style) {
    case NumberStyle::plain: return printed("%.5g", value);
    case NumberStyle::count: return with_commas(static_cast<std::int64_t>(std::llround(value)));
    case NumberStyle::bytes: return scaled(value, 1024, {"B", "KiB", "MiB", "GiB", "TiB"});
    case NumberStyle::flops:
      return scaled(value, 1000, {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"});
    case NumberStyle::percent: return printed("%.2f %%", 100 * value);
  }
  return {};
}

// Code points, so that columns line up under multi-byte letters.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string escaped_md(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

using Lines = std::vector<std::vector<std::string>>;  // the first is the head

Lines md_cells(const Table& table) {
  Lines lines(1);
  for (const Column& column : table.columns) lines[0].push_back(escaped_md(column.name));
  for (const std::vector<Cell>& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i)
      line.push_back(escaped_md(to_text(row[i], table.columns[i].style)));
  }
  return lines;
}

Lines transposed(const Lines& lines) {
  Lines turned(lines[0].size());
  for (const std::vector<std::string>& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) turned[i].push_back(line[i]);
  return turned;
}

std::string md(const Lines& lines) {
  std::vector<std::size_t> widths(lines[0].size(), 3);
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  std::string text;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    for (std::size_t i = 0; i < lines[at].size(); ++i) {
      text.append("| ").append(lines[at][i]);
      text.append(widths[i] - width_of(lines[at][i]) + 1, ' ');
    }
    text.append("|\n");
    if (at != 0) continue;
    for (const std::size_t width : widths) text.append("|").append(width + 2, '-');
    text.append("|\n");
  }
  return text;
}

Json json_of(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::empty: return nullptr;
    case Cell::Kind::text: return cell.text;
    case Cell::Kind::whole: return cell.whole;
    case Cell::Kind::number: return cell.number;
    case Cell::Kind::flag: return cell.flag;
  }
  return nullptr;
}

Json rows_of(const Table& table) {
  Json rows = Json::array();
  for (const std::vector<Cell>& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i].name] = json_of(row[i]);
    rows.push_back(std::move(object));
  }
  return rows;
}

std::string printed(const Json& whole) {
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string csv_cell(const Cell& cell) {
  if (cell.kind == Cell::Kind::empty) return "";
  if (cell.kind != Cell::Kind::text) return json_of(cell).dump();
  if (cell.text.find_first_of(",\"\r\n") == std::string::npos) return cell.text;
  std::string quoted = "\"";
  for (const char c : cell.text) quoted.append(c == '"' ? 2 : 1, c);
  quoted.push_back('"');
  return quoted;
}

// Cells between commas, ended by CR LF.
void append_csv_line(std::string& text, const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) text.push_back(',');
    text.append(cells[i]);
  }
  text.append("\r\n");
}

std::string csv(const Table& table) {
  std::vector<std::string> cells;
  for (const Column& column : table.columns) cells.push_back(csv_cell(column.name));
  std::string text;
  append_csv_line(text, cells);
  for (const std::vector<Cell>& row : table.rows) {
    cells.clear();
    for (const Cell& cell : row) cells.push_back(csv_cell(cell));
    append_csv_line(text, cells);
  }
  return text;
}

}  // namespace

std::string to_text(const Cell& cell, NumberStyle style) {
  switch (cell.kind) {
    case Cell::Kind::empty: return "";
    case Cell::Kind::text: return cell.text;
    case Cell::Kind::flag: return cell.flag ? "yes" : "no";
    case Cell::Kind::number: return styled(cell.number, style);
    case Cell::Kind::whole:
      return style == NumberStyle::plain ? std::to_string(cell.whole)
                                         : styled(static_cast<double>(cell.whole), style);
  }
  return "";
}

std::string to_json(std::span<const NamedTable> tables) {
  Json whole{{"schema", 1}};
  for (const NamedTable& named : tables) whole[named.name] = rows_of(named.table);
  return printed(whole);
}

std::string to_text(const Table& table, TableFormat format, bool upright) {
  switch (format) {
    case TableFormat::md: return md(upright ? transposed(md_cells(table)) : md_cells(table));
    case TableFormat::csv: return csv(table);
    case TableFormat::json: return printed(Json{{"schema", 1}, {"rows", rows_of(table)}});
  }
  return {};
}

}  // namespace ffn::inline v0
