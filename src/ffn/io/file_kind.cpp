#include "ffn/io/file_kind.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kLookedAt = 1024;

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char found) {
           return std::tolower(static_cast<unsigned char>(found)) == want;
         });
}

// Digits after "size " on a line of its own in a git-LFS pointer.
std::string pointed_bytes(std::string_view head) {
  const std::size_t at = head.find("\nsize ");
  if (at == std::string_view::npos) return {};
  std::string digits;
  for (const char c : head.substr(at + 6)) {
    if (c < '0' || c > '9' || digits.size() == 19) break;
    digits += c;
  }
  return digits;
}

std::string describe_text(std::string_view head, const std::string& size) {
  if (head.starts_with("version ") && head.substr(0, 200).find("git-lfs") != head.npos) {
    const std::string digits = pointed_bytes(head);
    return "is a git-LFS pointer (" + size + " bytes)" +
           (digits.empty() ? "" : " to a file of " + digits + " bytes") +
           ": fetch the file itself with 'git lfs pull'";
  }
  std::string_view text = head;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
    text.remove_prefix(1);
  if (starts_with_ignoring_case(text, "<!doctype") || starts_with_ignoring_case(text, "<html") ||
      starts_with_ignoring_case(text, "<?xml"))
    return "is an HTML page (" + size +
           " bytes), probably an error or the page about the file: download the file itself";
  if (text.starts_with('{'))
    return "is JSON text (" + size +
           " bytes), perhaps a configuration or an index of several files: name the file that "
           "holds "
           "the data";
  return {};
}

}  // namespace

std::string describe_foreign_file(std::span<const std::byte> bytes) {
  const std::string size = std::to_string(bytes.size());
  if (bytes.empty()) return "is empty (0 bytes): download or write it again";
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), kLookedAt));
  if (std::string text = describe_text(head, size); !text.empty()) return text;
  using namespace std::string_view_literals;
  if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv))
    return "is a zip archive (" + size +
           " bytes), as PyTorch writes checkpoints: convert it to safetensors";
  if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return "is a Python pickle (" + size +
           " bytes), which could run any program when loaded: convert it to safetensors";
  if (head.starts_with("\x1f\x8b"sv)) return "is a gzip file (" + size + " bytes): unpack it";
  if (head.starts_with("GGUF"sv)) return "is a GGUF file (" + size + " bytes)";
  return {};
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string result = "'";
  std::size_t shown = std::min(text.size(), kShown);
  // Not inside a UTF-8 character.
  while (shown < text.size() && shown > 0 && (text[shown] & 0xC0) == 0x80) --shown;
  for (const char c : text.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      result += c;
    } else {
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return result + (text.size() > shown ? "…'" : "'");
}

}  // namespace ffn::inline v0
