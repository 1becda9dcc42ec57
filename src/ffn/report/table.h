// Tables of results, printed as Markdown, CSV or JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ffn::inline v0 {

enum class TableFormat { md, csv, json };

// How a number reads in Markdown; CSV and JSON always hold it in full.
//   plain  3.25    count  5,380,132    bytes  20.5 MiB    flops  1.29 GFLOP    percent  0.914
//   as 91.40 %
enum class NumberStyle { plain, count, bytes, flops, percent };

struct Column {
  std::string name;  // snake_case with its unit: "peak_bytes"
  NumberStyle style = NumberStyle::plain;
};

// One value; the empty one prints as nothing (null in JSON). No std::variant: GCC 12 warns about
// its destructor.
struct Cell {
  enum class Kind { empty, text, whole, number, flag };

  Cell() = default;
  Cell(std::string value) : kind(Kind::text), text(std::move(value)) {}
  Cell(const char* value) : kind(Kind::text), text(value) {}
  Cell(std::int64_t value) : kind(Kind::whole), whole(value) {}
  Cell(double value) : kind(Kind::number), number(value) {}
  Cell(bool value) : kind(Kind::flag), flag(value) {}

  Kind kind = Kind::empty;
  std::string text;
  std::int64_t whole = 0;
  double number = 0;
  bool flag = false;
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // as long as columns

  void add_row(std::vector<Cell> cells) { rows.push_back(std::move(cells)); }
};

// md: columns padded to equal width; with `upright`, one line per column and one column per row,
// for few rows of many columns. csv: RFC 4180. json: {"schema": 1, "rows": [{"name": value, …}, …]}
std::string to_text(const Table& table, TableFormat format, bool upright = false);

// Tables that belong together as one object: {"schema": 1, "name": [{"column": value, …}, …], …}.
struct NamedTable {
  std::string name;
  Table table;
};
std::string to_json(std::span<const NamedTable> tables);

// One number as Markdown shows it.
std::string to_text(const Cell& cell, NumberStyle style);

}  // namespace ffn::inline v0
