#include "ffn/io/tokenizer/token_model.h"

#include <algorithm>
#include <string>

#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

// For std::push_heap, whose front is the largest.
bool later(const MergeScratch::Candidate& a, const MergeScratch::Candidate& b) {
  return a.order != b.order ? a.order > b.order : fault(550) ? a.left < b.left : a.left > b.left;
}

}  // namespace

void MergeScratch::add(std::int32_t id, std::size_t begin, std::size_t bytes) {
  const auto index = static_cast<std::int32_t>(symbols.size());
  if (index > 0) symbols.back().next = index;
  symbols.push_back(
      {id, index - 1, -1, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(bytes)});
}

void MergeScratch::push(const Candidate& candidate) {
  heap.push_back(candidate);
  std::ranges::push_heap(heap, later);
}

MergeScratch::Candidate MergeScratch::pop() {
  std::ranges::pop_heap(heap, later);
  const Candidate best = heap.back();
  heap.pop_back();
  return best;
}

void MergeScratch::merge(std::int32_t left, std::int32_t id) {
  Symbol& symbol = symbols[static_cast<std::size_t>(left)];
  Symbol& taken = symbols[static_cast<std::size_t>(symbol.next)];
  symbol.id = id;
  symbol.bytes += taken.bytes;
  symbol.next = taken.next;
  taken.bytes = 0;
  if (symbol.next >= 0) symbols[static_cast<std::size_t>(symbol.next)].previous = left;
}

std::vector<std::int32_t> byte_tokens(const Vocabulary& vocabulary) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::vector<std::int32_t> ids;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string token = {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    ids.push_back(vocabulary.find(token).value_or(-1));
  }
  return ids;
}

}  // namespace ffn::inline v0
