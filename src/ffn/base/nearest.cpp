#include "ffn/base/nearest.h"

#include <algorithm>
#include <vector>

namespace ffn::inline v0 {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t columns = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * columns);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * columns + j];
  };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({replaced, at(i - 1, j) + 1, at(i, j - 1) + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(a.size(), b.size());
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> names) {
  constexpr std::size_t kLongest = 64;  // nobody misspells a longer name by accident
  std::string_view best;
  std::size_t distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : names) {
    if (name.size() > kLongest) break;
    const std::size_t here = edit_distance(name, candidate);
    if (here >= distance) continue;
    best = candidate;
    distance = here;
  }
  std::string text;
  if (!best.empty()) return text.append(", did you mean '").append(best).append("'?");
  text.append("; known are ");
  for (const std::string_view candidate : names) {
    if (candidate != names.front()) text.append(", ");
    text.append(candidate);
  }
  return text;
}

}  // namespace ffn::inline v0
