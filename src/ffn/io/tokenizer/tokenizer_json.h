// tokenizer.json, as the tokenizers library writes it, and what tokenizer_config.json adds to it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// What tokenizer_config.json says; every other key is for programs of another kind.
struct TokenizerConfig {
  std::optional<std::string> bos, eos;  // names of tokens
  std::optional<std::string> chat_template;
};

// Errors: Error{io} naming `where`: no JSON, or a value of another type.
TokenizerConfig parse_tokenizer_config(std::span<const std::byte> file, std::string_view where);

// A tokenizer whose ids are those of the tokenizers library (0.22) with truncation and padding off.
// Models BPE and WordPiece; components as docs/tokenizers.md lists them. `config` names the first
// and the last token of a text; tokens that end a turn are known by their usual names. Errors:
// Error{io} naming `where` and what was found: no JSON, keys or components this program does not
// know, ids repeated, out of range or other than the library would give, merges of unknown tokens,
// patterns that do not compile. Memory: about 12 bytes per byte of the file while reading.
std::unique_ptr<const Tokenizer> parse_tokenizer_json(std::span<const std::byte> file,
                                                      std::string_view where,
                                                      const TokenizerConfig& config = {});

// tokenizer.json of a folder, with tokenizer_config.json where there is one. Errors: also those of
// MappedFile.
std::unique_ptr<const Tokenizer> read_tokenizer_folder(const std::string& folder);

}  // namespace ffn::inline v0
