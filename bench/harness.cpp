#include "harness.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace ffn::bench {

void Table::add(const std::vector<std::string>& cells) const {
  for (const std::string& cell : cells) std::printf("| %s ", cell.c_str());
  std::printf("|\n");
  std::fflush(stdout);
}

std::string format_number(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string format_spread(const SampleSummary& summary) {
  return format_number(summary.median) + " (" + format_number(summary.p10) + "–" +
         format_number(summary.p90) + ")";
}

int read_option(int argc, char** argv, const std::string& name, int fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name != argv[i]) continue;
    const std::string_view text = argv[i + 1];
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value >= 1) return value;
    std::fprintf(stderr, "%s: expected a number ≥ 1, got '%s'\n", name.c_str(), argv[i + 1]);
    std::exit(2);
  }
  return fallback;
}

}  // namespace ffn::bench
