#include "ffn/io/tokenizer/byte_level.h"

#include <array>
#include <cstdint>

#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kCharacters = 0x100 + 68;

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<std::int16_t, kCharacters> bytes{};

  Alphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool itself = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      const char32_t c = itself ? byte : next++;
      append_utf8(characters[byte], c);
      bytes[c] = static_cast<std::int16_t>(byte);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet letters;
  return letters;
}

}  // namespace

void append_byte_characters(std::string_view bytes, std::string& out) {
  const Alphabet& letters = alphabet();
  for (const char byte : bytes) out += letters.characters[static_cast<unsigned char>(byte)];
}

std::optional<char> byte_of_character(char32_t c) {
  if (c >= kCharacters || alphabet().bytes[c] < 0) return std::nullopt;
  return static_cast<char>(alphabet().bytes[c]);
}

}  // namespace ffn::inline v0
