// How one word becomes ids.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/vocabulary.h"

namespace ffn::inline v0 {

// Symbols of a word in a list, and pairs of them that may merge, best first: what one thread needs
// to encode, kept from word to word.
struct MergeScratch {
  struct Symbol {
    std::int32_t id = 0;                  // of BPE; unused where texts are merged
    std::int32_t previous = 0, next = 0;  // -1 at the ends
    std::uint32_t begin = 0, bytes = 0;   // of the word; 0 bytes: merged away
  };
  struct Candidate {
    double order = 0;       // smaller is first
    std::int32_t left = 0;  // then the one further left
    std::int32_t merged = 0;
    std::uint32_t bytes = 0;
  };
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;

  void clear() {
    symbols.clear();
    heap.clear();
  }
  // Appends a symbol behind the last one.
  void add(std::int32_t id, std::size_t begin, std::size_t bytes);
  void push(const Candidate& candidate);
  Candidate pop();
  // Takes the symbol right of `left` into it.
  void merge(std::int32_t left, std::int32_t id);
};

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  virtual const Vocabulary& vocabulary() const = 0;
  // Appends the ids of a word, which is valid UTF-8 and not empty.
  virtual void encode(std::string_view word, MergeScratch& scratch,
                      std::vector<std::int32_t>& ids) const = 0;
};

// The ids of "<0x00>" to "<0xFF>", -1 for those that are missing.
std::vector<std::int32_t> byte_tokens(const Vocabulary& vocabulary);

}  // namespace ffn::inline v0
