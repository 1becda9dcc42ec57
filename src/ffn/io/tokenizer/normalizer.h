// What happens to a text before it is cut into words: one small function per component of
// tokenizer.json. Text is valid UTF-8 before and after.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/characters.h"
#include "ffn/io/tokenizer/pattern.h"

namespace ffn::inline v0 {

struct NormalText {
  std::string text;
  // Its first character stems from the first of the original text: nothing was removed there.
  bool whole_start = true;
};

using Normalizer = std::function<void(NormalText& normal)>;

struct BertNormalizerOptions {
  bool clean_text = true;            // control characters vanish, white space becomes a space
  bool handle_chinese_chars = true;  // spaces around ideographs
  bool strip_accents = true;
  bool lowercase = true;
};

Normalizer normal_form(NormalForm form);
Normalizer lowercase();
Normalizer strip_accents();  // removes marks; composed letters keep theirs
Normalizer bert_normalizer(const BertNormalizerOptions& options);
Normalizer replace(Pattern pattern, std::string content);
Normalizer prepend(std::string text);  // to a text that is not empty
Normalizer strip(bool left, bool right);
Normalizer bytes_as_characters();  // byte_level.h
Normalizer in_sequence(std::vector<Normalizer> normalizers);

// `text` with every match replaced.
std::string replaced(std::string_view text, const Pattern& pattern, std::string_view content);

}  // namespace ffn::inline v0
