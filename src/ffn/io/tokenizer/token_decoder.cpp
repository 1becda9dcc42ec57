#include "ffn/io/tokenizer/token_decoder.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "ffn/io/tokenizer/byte_level.h"
#include "ffn/io/tokenizer/normalizer.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

void append_bytes(std::string_view token, std::string& bytes) {
  const std::size_t before = bytes.size();
  for (std::size_t at = 0; at < token.size();) {
    const auto byte = byte_of_character(next_code_point(token, at));
    if (!byte) {
      bytes.resize(before);
      bytes += token;
      return;
    }
    bytes += *byte;
  }
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<char> named_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  // As the library reads numbers, "+5" is one.
  const auto low = hex_digit(token[4]);
  const auto high = token[3] == '+' ? std::optional<unsigned>(0) : hex_digit(token[3]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (text.find(from) == std::string::npos) return;
  text = replaced(text, Pattern::literal(std::string(from)), to);
}

// Spaces before marks and short forms of English, in this order.
void clean_up(std::string& token) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRules{{
      {" .", "."},
      {" ?", "?"},
      {" !", "!"},
      {" ,", ","},
      {" ' ", "'"},
      {" n't", "n't"},
      {" 'm", "'m"},
      {" do not", " don't"},
      {" 's", "'s"},
      {" 've", "'ve"},
      {" 're", "'re"},
  }};
  for (const auto& [from, to] : kRules) replace_all(token, from, to);
}

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

std::string stripped(std::string_view token, std::string_view content, std::size_t start,
                     std::size_t stop) {
  for (; start > 0 && token.starts_with(content); --start) token.remove_prefix(content.size());
  for (; stop > 0 && token.ends_with(content); --stop) token.remove_suffix(content.size());
  return std::string(token);
}

}  // namespace

TokenDecoder decode_byte_level() {
  return [](std::vector<std::string>& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) append_bytes(token, bytes);
    tokens.assign(1, valid_utf8(bytes));
  };
}

TokenDecoder decode_byte_fallback() {
  return [](std::vector<std::string>& tokens) {
    std::vector<std::string> result;
    std::string run;
    const auto flush = [&] {
      if (run.empty()) return;
      if (valid_utf8(run) == run)
        result.push_back(run);
      else
        result.insert(result.end(), run.size(), std::string(kReplacementCharacter));
      run.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = named_byte(token)) {
        run += *byte;
      } else {
        flush();
        result.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(result);
  };
}

TokenDecoder decode_word_piece(std::string prefix, bool cleanup) {
  return [prefix = std::move(prefix), cleanup](std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i].starts_with(prefix))
        tokens[i].erase(0, prefix.size());
      else if (i > 0)
        tokens[i].insert(0, 1, ' ');
      if (cleanup) clean_up(tokens[i]);
    }
  };
}

TokenDecoder decode_metaspace(std::string replacement, PrependScheme scheme) {
  return [replacement = std::move(replacement), scheme](std::vector<std::string>& tokens) {
    const bool dropped = scheme != PrependScheme::never;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      replace_all(tokens[i], replacement, i == 0 && dropped ? "" : " ");
  };
}

TokenDecoder decode_replace(Pattern pattern, std::string content) {
  return [pattern = std::move(pattern),
          content = std::move(content)](std::vector<std::string>& tokens) {
    for (std::string& token : tokens)
      if (!token.empty()) token = replaced(token, pattern, content);
  };
}

TokenDecoder decode_fuse() {
  return [](std::vector<std::string>& tokens) { tokens.assign(1, joined(tokens)); };
}

TokenDecoder decode_strip(std::string content, std::size_t start, std::size_t stop) {
  return [content = std::move(content), start, stop](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) token = stripped(token, content, start, stop);
  };
}

TokenDecoder decode_spaces() {
  return [](std::vector<std::string>& tokens) {
    for (std::size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, 1, ' ');
  };
}

TokenDecoder in_sequence(std::vector<TokenDecoder> decoders) {
  return [decoders = std::move(decoders)](std::vector<std::string>& tokens) {
    for (const TokenDecoder& decoder : decoders) decoder(tokens);
  };
}

}  // namespace ffn::inline v0
