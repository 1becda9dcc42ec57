#include "ffn/io/tokenizer/normalizer.h"

#include <utility>

#include "ffn/io/tokenizer/byte_level.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

// Keeps the characters for which keep(c) is true.
template <class Keep>
void filter(NormalText& normal, const Keep& keep) {
  std::string result;
  result.reserve(normal.text.size());
  for (std::size_t at = 0; at < normal.text.size();) {
    const std::size_t begin = at;
    if (keep(next_code_point(normal.text, at)))
      result.append(normal.text, begin, at - begin);
    else if (begin == 0)
      normal.whole_start = false;
  }
  normal.text = std::move(result);
}

void clean(NormalText& normal) {
  filter(normal, [](char32_t c) { return c != 0 && c != 0xFFFD && !is_bert_control(c); });
  std::string result;
  result.reserve(normal.text.size());
  for (std::size_t at = 0; at < normal.text.size();) {
    const std::size_t begin = at;
    if (is_white_space(next_code_point(normal.text, at)))
      result += ' ';
    else
      result.append(normal.text, begin, at - begin);
  }
  normal.text = std::move(result);
}

std::string ideographs_apart(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const bool apart = is_cjk_ideograph(next_code_point(text, at));
    if (apart) result += ' ';
    result += text.substr(begin, at - begin);
    if (apart) result += ' ';
  }
  return result;
}

std::string_view stripped(std::string_view text, bool left, bool right) {
  std::size_t begin = 0;
  for (std::size_t at = 0; left && at < text.size(); begin = at)
    if (!is_white_space(next_code_point(text, at))) break;
  std::size_t end = begin;  // behind the last character that is no white space
  for (std::size_t at = begin; at < text.size();) {
    const bool white = is_white_space(next_code_point(text, at));
    if (!white || !right) end = at;
  }
  return text.substr(begin, end - begin);
}

std::string replaced(std::string_view text, const std::vector<Match>& matches,
                     std::string_view content) {
  std::string result;
  result.reserve(text.size());
  std::size_t at = 0;
  for (const Match& match : matches) {
    result += text.substr(at, match.begin - at);
    result += content;
    at = match.end;
  }
  result += text.substr(at);
  return result;
}

}  // namespace

Normalizer normal_form(NormalForm form) {
  return [form](NormalText& normal) { normal.text = to_normal_form(normal.text, form); };
}

Normalizer lowercase() {
  return [](NormalText& normal) { normal.text = to_lower(normal.text); };
}

Normalizer strip_accents() {
  return [](NormalText& normal) { filter(normal, [](char32_t c) { return !is_mark(c); }); };
}

Normalizer bert_normalizer(const BertNormalizerOptions& options) {
  return [options](NormalText& normal) {
    if (options.clean_text) clean(normal);
    if (options.handle_chinese_chars) normal.text = ideographs_apart(normal.text);
    if (options.strip_accents && !is_ascii(normal.text)) {
      normal.text = to_normal_form(normal.text, NormalForm::nfd);
      filter(normal, [](char32_t c) { return !is_nonspacing_mark(c); });
    }
    if (options.lowercase) normal.text = to_lower(normal.text);
  };
}

std::string replaced(std::string_view text, const Pattern& pattern, std::string_view content) {
  std::vector<Match> matches;
  pattern.find(text, matches);
  return replaced(text, matches, content);
}

Normalizer replace(Pattern pattern, std::string content) {
  return [pattern = std::move(pattern), content = std::move(content)](NormalText& normal) {
    if (normal.text.empty()) return;
    std::vector<Match> matches;
    pattern.find(normal.text, matches);
    if (matches.empty()) return;
    // What replaces several characters stems from the last of them.
    const std::size_t taken =
        matches.front().begin > 0
            ? 0
            : count_code_points(std::string_view(normal.text).substr(0, matches.front().end));
    if (taken > (content.empty() ? 0 : 1)) normal.whole_start = false;
    normal.text = replaced(normal.text, matches, content);
  };
}

Normalizer prepend(std::string start) {
  return [start = std::move(start)](NormalText& normal) {
    if (!normal.text.empty()) normal.text.insert(0, start);
  };
}

Normalizer strip(bool left, bool right) {
  return [left, right](NormalText& normal) {
    const std::string_view kept = stripped(normal.text, left, right);
    if (kept.data() != normal.text.data()) normal.whole_start = false;
    normal.text = std::string(kept);
  };
}

Normalizer bytes_as_characters() {
  return [](NormalText& normal) {
    std::string result;
    append_byte_characters(normal.text, result);
    normal.text = std::move(result);
  };
}

Normalizer in_sequence(std::vector<Normalizer> normalizers) {
  return [normalizers = std::move(normalizers)](NormalText& normal) {
    for (const Normalizer& normalizer : normalizers) normalizer(normal);
  };
}

}  // namespace ffn::inline v0
