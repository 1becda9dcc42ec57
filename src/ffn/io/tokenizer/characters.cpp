#include "ffn/io/tokenizer/characters.h"

#include <oniguruma.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "ffn/base/check.h"
#include "ffn/base/faults.h"
#include "ffn/io/tokenizer/characters_tables.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

template <class... Categories>
bool in(char32_t c, Categories... categories) {
  const utf8proc_category_t found = category(c);
  return ((found == categories) || ...);
}

// Ranges ascend and do not touch.
bool listed(char32_t c, std::span<const CodeRange> ranges) {
  const auto after = std::ranges::upper_bound(ranges, c, {}, &CodeRange::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

constexpr std::size_t kLongestDecomposition = 18;  // U+FDFA

void decompose(char32_t c, bool compatible, std::vector<utf8proc_int32_t>& out) {
  const bool kept = compatible ? listed(c, kKeptByCompatibility) : listed(c, kKeptByCanonical);
  if (c < 0x80 || kept) {
    out.push_back(static_cast<utf8proc_int32_t>(c));
    return;
  }
  std::array<utf8proc_int32_t, kLongestDecomposition> parts{};
  int last_class = 0;
  const int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(c), parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
      static_cast<utf8proc_option_t>(options), &last_class);
  FFN_ASSERT(count >= 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()));
  out.insert(out.end(), parts.begin(), parts.begin() + count);
}

int combining_class(utf8proc_int32_t c) {
  if (listed(static_cast<char32_t>(c), kClassZero)) return 0;
  return utf8proc_get_property(c)->combining_class;
}

// Sorts every run of combining characters by class; equal ones keep their order. utf8proc would
// swap neighbours, O(n²).
void order_marks(std::vector<utf8proc_int32_t>& codes) {
  std::vector<std::pair<std::size_t, utf8proc_int32_t>> run;  // class and place as one number
  for (std::size_t at = 0; at < codes.size(); ++at) {
    if (codes[at] < 0x300 || combining_class(codes[at]) == 0) continue;
    const std::size_t begin = at;
    run.clear();
    for (; at < codes.size() && combining_class(codes[at]) != 0; ++at)
      run.emplace_back(static_cast<std::size_t>(combining_class(codes[at])) << 32 | at, codes[at]);
    if (run.size() < 2 || fault(553)) continue;
    std::ranges::sort(run);
    for (std::size_t i = 0; i < run.size(); ++i) codes[begin + i] = run[i].second;
  }
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 ||
         (c > 0xFF && in(c, UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZL, UTF8PROC_CATEGORY_ZP));
}

bool is_number(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return in(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NL, UTF8PROC_CATEGORY_NO) !=
         listed(c, kNumberFlipped);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80)
    return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9') &&
           !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  return in(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PD, UTF8PROC_CATEGORY_PS,
            UTF8PROC_CATEGORY_PE, UTF8PROC_CATEGORY_PI, UTF8PROC_CATEGORY_PF,
            UTF8PROC_CATEGORY_PO) != listed(c, kPunctuationFlipped);
}

bool is_mark(char32_t c) {
  return c >= 0x300 && in(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME) !=
                           listed(c, kMarkFlipped);
}

bool is_nonspacing_mark(char32_t c) {
  return c >= 0x300 && in(c, UTF8PROC_CATEGORY_MN) != listed(c, kNonspacingMarkFlipped);
}

bool is_bert_control(char32_t c) {
  if (c < 0x80) return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  return in(c, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF, UTF8PROC_CATEGORY_CO) !=
         listed(c, kControlFlipped);
}

bool is_word(char32_t c) {
  if (c < 0x80)
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
  const bool word = ONIGENC_IS_CODE_CTYPE(ONIG_ENCODING_UTF8, static_cast<OnigCodePoint>(c),
                                          ONIGENC_CTYPE_WORD) != 0;
  return word != listed(c, kWordFlipped);
}

bool is_cjk_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::string to_lower(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c < 0x80) {
      result += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    } else if (c == 0x130) {
      result += "i\xCC\x87";  // the one character whose small form is two: i and a dot above
    } else {
      const auto pair = std::ranges::lower_bound(kLowerDiffers, c, {}, &CodePair::from);
      const bool differs = pair != std::end(kLowerDiffers) && pair->from == c;
      append_utf8(result, differs ? pair->to
                                  : static_cast<char32_t>(
                                        utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
    }
  }
  return result;
}

std::string to_normal_form(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);
  const bool compatible = form == NormalForm::nfkc || form == NormalForm::nfkd;
  const bool composed = form == NormalForm::nfc || form == NormalForm::nfkc;
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();)
    decompose(next_code_point(text, at), compatible, codes);
  order_marks(codes);
  auto count = static_cast<utf8proc_ssize_t>(codes.size());
  if (composed)
    count = utf8proc_normalize_utf32(
        codes.data(), count, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  FFN_ASSERT(count >= 0);
  std::string result;
  result.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    append_utf8(result, static_cast<char32_t>(codes[static_cast<std::size_t>(i)]));
  return result;
}

}  // namespace ffn::inline v0
