// Text of ids that come one by one: every piece is whole characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// Keeps the ids since the last piece that ended with a whole character, and those of that piece,
// because a token's text may depend on what stands before it. Text whose last character may still
// be incomplete is held back, for at most kHeldBackIds ids; after that U+FFFD is taken as meant.
class StreamDecoder {
 public:
  static constexpr std::size_t kHeldBackIds = 16;

  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  // The text that is certain now; empty while a character is incomplete. Errors: those of decode().
  std::string next(std::int32_t id);
  // What was held back, with U+FFFD for what stayed incomplete.
  std::string finish();

 private:
  std::string take(const std::string& text);

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;  // the first settled_ of them were given out as text
  std::size_t settled_ = 0;
  bool skip_special_;
};

}  // namespace ffn::inline v0
