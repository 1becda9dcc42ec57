// From text to numbers and back: what a language model reads and writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

struct SpecialTokens {
  std::optional<std::int32_t> bos, eos;
  // An answer of a chat model ends with one of these, or with eos. Ascending.
  std::vector<std::int32_t> end_of_turn;

  bool ends_answer(std::int32_t id) const;
};

struct EncodeOptions {
  bool add_special = true;  // what belongs around a text: bos, "[CLS]" and "[SEP]", …
  // Special tokens that stand in the text become their ids. Turn it off for text of strangers,
  // which could otherwise end its own turn and speak as another.
  bool parse_special = true;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::string_view name() const = 0;
  virtual std::int64_t vocabulary() const = 0;  // every id is at least 0 and below it
  virtual const SpecialTokens& special() const = 0;
  // Appends the ids of `text`, which is a whole document. Bytes that are no UTF-8 count as U+FFFD,
  // where the tokenizer does not take bytes as they are. Errors: Error{io} for text that has no
  // ids, and for a pattern of the tokenizer that gives up on it.
  virtual void encode(std::string_view text, const EncodeOptions& options,
                      std::vector<std::int32_t>& ids) const = 0;
  // The text of ids, always valid UTF-8: bytes that are none become U+FFFD. skip_special leaves out
  // special tokens. Errors: Error{io} for an id outside the vocabulary.
  virtual std::string decode(std::span<const std::int32_t> ids, bool skip_special) const = 0;
  // The id of a token by its name in the vocabulary.
  virtual std::optional<std::int32_t> find(std::string_view token) const = 0;

  // Stands before every document in training: bos, or eos where there is none. Text encoded without
  // parse_special never becomes this id. Errors: Error{io} where there is neither.
  std::int32_t separator() const;
};

// One id per byte; the separator is byte 0, which no text holds. Errors: io for a byte 0.
const Tokenizer& byte_tokenizer();

}  // namespace ffn::inline v0
