#include "ffn/report/escape.h"

#include <cstddef>
#include <cstdint>

namespace ffn::inline v0 {
namespace {

// Bytes of the code point that starts at `at`; 0 where there is none: a stray or missing
// continuation byte, a form longer than needed, a surrogate, U+FFFE and U+FFFF.
std::size_t code_point_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const std::uint32_t first = byte(at);
  if (first < 0x80u) return 1;
  const std::size_t length = first >= 0xF0u ? 4 : first >= 0xE0u ? 3 : 2;
  if (first < 0xC2u || first > 0xF4u) return 0;
  std::uint32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0u) != 0x80u) return 0;
    code = (code << 6u) | (byte(at + i) & 0x3Fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800u && code <= 0xDFFFu;
  const bool refused = code == 0xFFFEu || code == 0xFFFFu || code > 0x10FFFFu;
  return code < kLeast[length] || surrogate || refused ? 0 : length;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    default: break;
  }
  const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 127;
  if (control) {
    out += "\xEF\xBF\xBD";
  } else {
    out += c;
  }
}

}  // namespace

std::string escaped_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = code_point_length(text, at);
    if (length == 1) append_ascii(out, text[at]);
    if (length == 0) out += "\xEF\xBF\xBD";
    if (length > 1) out.append(text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace ffn::inline v0
