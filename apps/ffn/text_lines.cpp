#include "text_lines.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <string_view>

#include "ffn/base/error.h"
#include "ffn/io/mapped_file.h"

namespace ffn::app {
namespace {

std::vector<std::string> lines_of(std::string_view text, std::string_view where) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    check(line.find_first_not_of(" \t\v\f\r") != std::string_view::npos, ErrorKind::io, where,
          "line ", lines.size() + 1, " is empty; expected a text on every line");
    lines.emplace_back(line);
  }
  check(!lines.empty(), ErrorKind::io, where, "holds no text; expected one per line");
  return lines;
}

}  // namespace

std::vector<std::string> lines_of_data(const std::string& data) {
  constexpr std::string_view kText = "text:";
  check(data.starts_with(kText), ErrorKind::config, "--data", "'", data,
        "' is no text; this verb reads text:PATH");
  const MappedFile file(data.substr(kText.size()));
  const auto bytes = file.bytes();
  return lines_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.path());
}

std::vector<std::string> lines_of_standard_input() {
  const std::string text{std::istreambuf_iterator<char>(std::cin),
                         std::istreambuf_iterator<char>()};
  return lines_of(text, "standard input");
}

}  // namespace ffn::app
