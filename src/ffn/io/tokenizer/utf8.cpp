#include "ffn/io/tokenizer/utf8.h"

#include <algorithm>

namespace ffn::inline v0 {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// What the second byte may be after this first byte; others are 80 to BF.
struct SecondByte {
  unsigned low = 0x80, high = 0xBF;
};

SecondByte second_byte(unsigned first) {
  switch (first) {
    case 0xE0: return {0xA0, 0xBF};  // no overlong form
    case 0xED: return {0x80, 0x9F};  // no surrogate
    case 0xF0: return {0x90, 0xBF};
    case 0xF4: return {0x80, 0x8F};  // not above U+10FFFF
    default: return {};
  }
}

std::size_t stated_length(unsigned first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

}  // namespace

std::size_t well_formed(std::string_view text, std::size_t* broken) {
  *broken = 1;
  const unsigned first = byte_at(text, 0);
  const std::size_t length = stated_length(first);
  if (length == 0) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const SecondByte allowed = i == 1 ? second_byte(first) : SecondByte{};
    *broken = i;
    if (i == text.size()) return 0;
    const unsigned byte = byte_at(text, i);
    if (byte < allowed.low || byte > allowed.high) return 0;
  }
  return length;
}

bool is_valid_utf8(std::string_view bytes) {
  std::size_t broken = 0;
  while (!bytes.empty()) {
    const std::size_t length = well_formed(bytes, &broken);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    std::size_t broken = 0;
    const std::size_t length = well_formed(bytes, &broken);
    text += length > 0 ? bytes.substr(0, length) : kReplacementCharacter;
    bytes.remove_prefix(length > 0 ? length : broken);
  }
  return text;
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const unsigned first = byte_at(text, at);
  const std::size_t length = std::max<std::size_t>(stated_length(first), 1);
  char32_t code = length == 1 ? first : first & (0x7Fu >> length);
  const std::size_t end = std::min(at + length, text.size());
  for (++at; at < end; ++at) code = code << 6 | (byte_at(text, at) & 0x3F);
  return code;
}

void append_utf8(std::string& text, char32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    tail(12), tail(6), tail(0);
  }
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace ffn::inline v0
