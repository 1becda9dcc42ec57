// Text as code points. All but the first three functions expect valid UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the well-formed character at the start of `text`, or 0. `*broken` then says how many
// bytes one U+FFFD stands for: the longest beginning of a character (Unicode 15, table 3-8).
std::size_t well_formed(std::string_view text, std::size_t* broken);

bool is_valid_utf8(std::string_view bytes);
// `bytes` with each broken part replaced by U+FFFD, as Python's errors="replace" does it.
std::string valid_utf8(std::string_view bytes);

// The code point at `at`, which moves behind it. at < text.size().
char32_t next_code_point(std::string_view text, std::size_t& at);

void append_utf8(std::string& text, char32_t code);

std::size_t count_code_points(std::string_view text);

// True when every byte is below 128.
bool is_ascii(std::string_view text);

}  // namespace ffn::inline v0
