// From text to numbers: what a language model reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::string_view name() const = 0;
  virtual std::int64_t vocabulary() const = 0;  // at most 65536: ids fit into 16 bits
  // Stands before every document. No text of a document becomes this id.
  virtual std::int32_t separator() const = 0;
  // Appends the ids of `bytes`, which are a whole document. Errors: Error{io} for bytes that have
  // no ids, with their offset.
  virtual void encode(std::span<const std::byte> bytes, std::vector<std::uint16_t>& ids) const = 0;
};

// One id per byte; the separator is byte 0, which no text holds. Errors: io for a byte 0.
const Tokenizer& byte_tokenizer();

}  // namespace ffn::inline v0
