// Bytes as characters that are all visible, so that byte pair encoding can merge any bytes: the
// alphabet of GPT-2. Printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

void append_byte_characters(std::string_view bytes, std::string& out);
// The byte of a character; empty for a character that stands for none.
std::optional<char> byte_of_character(char32_t c);

}  // namespace ffn::inline v0
