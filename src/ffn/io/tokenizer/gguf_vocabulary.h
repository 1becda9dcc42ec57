// Tokenizers whose vocabulary stands in the metadata of a GGUF file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// The values of tokenizer.ggml.*, each named by the end of its key. Views are read while the
// tokenizer is made and not kept.
struct GgufVocabulary {
  std::string_view model = {};  // "gpt2", "llama" or "bert"
  std::string_view pre = {};    // how "gpt2" cuts words; empty counts as "default"
  std::span<const std::string_view> tokens = {};   // by id
  std::span<const std::string_view> merges = {};   // "gpt2": "left right", by rank
  std::span<const float> scores = {};              // "llama": by id
  std::span<const std::int32_t> token_types = {};  // by id, or empty: all normal
  std::optional<std::int64_t> bos_token_id = {}, eos_token_id = {}, eot_token_id = {},
                              unknown_token_id = {}, separator_token_id = {};
  std::optional<bool> add_bos_token = {}, add_eos_token = {}, add_space_prefix = {};
  bool lowercase = true;  // "bert": small letters without accents
};

// Byte-level BPE ("gpt2"), merging by score with bytes for what has no token ("llama"), WordPiece
// ("bert"). Ids are those of the tokenizers library on the same vocabulary, for "llama" those of
// SentencePiece, which does not look for control tokens in a text. What the file leaves
// open is as the first programs for it had it: "llama" adds bos and a space before the text, "bert"
// adds "[CLS]" and "[SEP]", "gpt2" adds nothing. Errors: Error{io} naming `where` for an unknown
// model, pre or token type; lists of different lengths; tokens that are no UTF-8 or repeated;
// merges of unknown tokens; special ids outside the vocabulary; a missing score list.
std::unique_ptr<const Tokenizer> make_gguf_tokenizer(const GgufVocabulary& vocabulary,
                                                     std::string_view where);

}  // namespace ffn::inline v0
