// What characters are, as the tokenizers library sees them, and the four normal forms. Expects
// valid UTF-8. That library takes its properties from several Unicode versions; where it differs
// from Unicode 15.0 (utf8proc), a table here says so (characters_tables.h).
#pragma once

#include <string>
#include <string_view>

namespace ffn::inline v0 {

bool is_white_space(char32_t c);      // property White_Space
bool is_number(char32_t c);           // categories Nd, Nl, No
bool is_punctuation(char32_t c);      // categories P*, and all ASCII marks
bool is_mark(char32_t c);             // categories Mn, Mc, Me
bool is_nonspacing_mark(char32_t c);  // category Mn
bool is_bert_control(char32_t c);     // Cc without tab and line ends, Cf, Co
bool is_word(char32_t c);             // \w: Alphabetic, marks, Nd, Pc, joiners
bool is_cjk_ideograph(char32_t c);    // the blocks that BERT counts as Chinese

// Each character on its own, without regard to its neighbours.
std::string to_lower(std::string_view text);

enum class NormalForm { nfc, nfd, nfkc, nfkd };

// O(n log n), also for long runs of marks. Memory: 4 bytes per code point and the result.
std::string to_normal_form(std::string_view text, NormalForm form);

}  // namespace ffn::inline v0
