// Whether markup is well formed, for tests: a small reader of tags, no more.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ffn {

// Empty when every tag is closed in its order, every attribute quoted and without '<', and every
// '&' begins an entity; otherwise what is wrong and where. `void_tags` need no closing.
inline std::string markup_error(std::string_view text,
                                const std::set<std::string, std::less<>>& void_tags = {}) {
  std::vector<std::string> open;
  const auto error = [&](std::string_view what, std::size_t at) {
    return std::string(what) + " before: " + std::string(text.substr(at, 60));
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '>') return error("stray >", at);
    if (text[at] == '&') {
      const std::size_t end = text.find(';', at);
      if (end == std::string_view::npos || end - at > 6 || end - at < 3)
        return error("no entity", at);
      continue;
    }
    if (text[at] != '<') continue;
    std::size_t end = at + 1;
    bool quoted = false;
    for (; end < text.size() && (quoted || text[end] != '>'); ++end) {
      if (text[end] == '"') quoted = !quoted;
      if (text[end] == '<') return error("< inside a tag", at);
    }
    if (end == text.size()) return error("tag without end", at);
    std::string_view tag = text.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with("!doctype")) continue;
    const bool closing = tag.starts_with('/'), single = tag.ends_with('/');
    if (closing) tag.remove_prefix(1);
    const std::string name(tag.substr(0, tag.find_first_of(" /\n")));
    if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0)
      return error("no tag name", at);
    for (std::size_t equals = tag.find('='); equals != std::string_view::npos;) {
      if (equals + 1 >= tag.size() || tag[equals + 1] != '"') return error("unquoted value", at);
      equals = tag.find('=', tag.find('"', equals + 2));
    }
    if (closing) {
      if (open.empty() || open.back() != name) return error("</" + name + "> closes nothing", at);
      open.pop_back();
    } else if (!single && !void_tags.contains(name)) {
      open.push_back(name);
      // A style sheet is no markup.
      if (name == "style") at = text.find("</style>", at) - 1;
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

inline std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// A number that is none: "nan" or "inf" where a number stands, between quotes, blanks or commas.
inline bool has_broken_number(std::string_view text) {
  for (const std::string_view word : {"nan", "inf", "-nan", "-inf"})
    for (const char before : {'"', ' ', 'L', 'M', '>', ','})
      for (const char after : {'"', ' ', 'L', 'Z', '<', ','})
        if (text.find(before + std::string(word) + after) != std::string_view::npos) return true;
  return false;
}

}  // namespace ffn
