#include "ffn/io/tokenizer/bpe.h"

#include <array>
#include <optional>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/flat_map.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

struct Merge {
  std::int32_t rank = 0, id = 0;
};

// Characters below this have their ids in a table: all that byte-level vocabularies use.
constexpr char32_t kDirect = 0x180;

class Bpe final : public TokenModel {
 public:
  Bpe(Vocabulary vocabulary, std::span<const TokenPair> merges, BpeOptions options,
      std::string_view where)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
    add_merges(merges, where);
    if (!options_.unknown.empty()) {
      unknown_ = vocabulary_.find(options_.unknown);
      check(unknown_.has_value(), ErrorKind::io, where, "the unknown token ",
            in_quotes(options_.unknown), " is not in the vocabulary");
    }
    if (options_.byte_fallback) bytes_ = byte_tokens(vocabulary_);
    plain_ = options_.continuing_prefix.empty() && options_.end_suffix.empty();
    for (char32_t c = 0; c < kDirect; ++c) {
      std::string text;
      append_utf8(text, c);
      direct_[c] = vocabulary_.find(text).value_or(-1);
    }
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void encode(std::string_view word, MergeScratch& scratch,
              std::vector<std::int32_t>& ids) const override {
    if (options_.ignore_merges) {
      if (const auto id = vocabulary_.find(word)) {
        ids.push_back(*id);
        return;
      }
    }
    scratch.clear();
    add_symbols(word, scratch);
    merge_all(scratch);
    for (const auto& symbol : scratch.symbols)
      if (symbol.bytes > 0) ids.push_back(symbol.id);
  }

 private:
  void add_merges(std::span<const TokenPair> merges, std::string_view where);
  void add_symbols(std::string_view word, MergeScratch& scratch) const;
  bool add_bytes(std::string_view symbol, MergeScratch& scratch) const;
  void merge_all(MergeScratch& scratch) const;
  void offer(std::int32_t left, MergeScratch& scratch) const;
  const Merge* merge_at(std::int32_t left, const MergeScratch& scratch) const;

  Vocabulary vocabulary_;
  BpeOptions options_;
  FlatMap<Merge> merges_;
  std::optional<std::int32_t> unknown_;
  std::vector<std::int32_t> bytes_;
  std::array<std::int32_t, kDirect> direct_{};
  bool plain_ = true;
};

void Bpe::add_merges(std::span<const TokenPair> merges, std::string_view where) {
  merges_.reserve(merges.size());
  const std::size_t prefix = options_.continuing_prefix.size();
  std::string merged;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view left = merges[rank].first, right = merges[rank].second;
    const auto known = [&](std::string_view token) {
      const auto id = vocabulary_.find(token);
      if (!id)
        fail(ErrorKind::io, where, "merge ", rank, " (", in_quotes(left), ", ", in_quotes(right),
             ") names ", in_quotes(token), ", which is not in the vocabulary");
      return *id;
    };
    const std::int32_t left_id = known(left), right_id = known(right);
    if (right.size() < prefix)
      fail(ErrorKind::io, where, "merge ", rank, ": ", in_quotes(right),
           " is shorter than the prefix ", in_quotes(options_.continuing_prefix));
    merged.assign(left).append(right.substr(prefix));
    merges_.set(pair_key(left_id, right_id), {static_cast<std::int32_t>(rank), known(merged)});
  }
}

// True when every byte of the symbol has a token.
bool Bpe::add_bytes(std::string_view symbol, MergeScratch& scratch) const {
  if (bytes_.empty()) return false;
  for (const char c : symbol)
    if (bytes_[static_cast<unsigned char>(c)] < 0) return false;
  for (const char c : symbol) scratch.add(bytes_[static_cast<unsigned char>(c)], 0, 1);
  return true;
}

void Bpe::add_symbols(std::string_view word, MergeScratch& scratch) const {
  std::size_t unknown_bytes = 0;  // of an unknown token that waits, so that more may join it
  const auto flush = [&] {
    if (unknown_bytes > 0) scratch.add(*unknown_, 0, unknown_bytes);
    unknown_bytes = 0;
  };
  std::string affixed;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(word, at);
    std::string_view symbol = word.substr(begin, at - begin);
    std::int32_t id = -1;
    if (plain_ && c < kDirect) {
      id = direct_[c];
    } else {
      if (!plain_) {
        affixed = begin > 0 ? options_.continuing_prefix : std::string();
        affixed += symbol;
        if (at == word.size()) affixed += options_.end_suffix;
        symbol = affixed;
      }
      id = vocabulary_.find(symbol).value_or(-1);
    }
    if (id >= 0) {
      flush();
      scratch.add(id, begin, at - begin);
    } else if (!add_bytes(symbol, scratch) && unknown_) {
      if (!options_.fuse_unknown) flush();
      unknown_bytes += at - begin;
    }
  }
  flush();
}

const Merge* Bpe::merge_at(std::int32_t left, const MergeScratch& scratch) const {
  const auto& symbol = scratch.symbols[static_cast<std::size_t>(left)];
  if (symbol.bytes == 0 || symbol.next < 0) return nullptr;
  return merges_.find(
      pair_key(symbol.id, scratch.symbols[static_cast<std::size_t>(symbol.next)].id));
}

void Bpe::offer(std::int32_t left, MergeScratch& scratch) const {
  if (left < 0) return;
  if (const Merge* merge = merge_at(left, scratch))
    scratch.push({static_cast<double>(merge->rank), left, merge->id, 0});
}

void Bpe::merge_all(MergeScratch& scratch) const {
  const auto count = static_cast<std::int32_t>(scratch.symbols.size());
  for (std::int32_t i = 0; i + 1 < count; ++i) offer(i, scratch);
  while (!scratch.heap.empty()) {
    const MergeScratch::Candidate best = scratch.pop();
    // A neighbour may have been merged since: then the pair is another one.
    const Merge* merge = merge_at(best.left, scratch);
    if (merge == nullptr || (merge->id != best.merged && !fault(551))) continue;
    scratch.merge(best.left, best.merged);
    offer(scratch.symbols[static_cast<std::size_t>(best.left)].previous, scratch);
    offer(best.left, scratch);
  }
}

}  // namespace

std::unique_ptr<TokenModel> make_bpe(Vocabulary vocabulary, std::span<const TokenPair> merges,
                                     BpeOptions options, std::string_view where) {
  return std::make_unique<Bpe>(std::move(vocabulary), merges, std::move(options), where);
}

}  // namespace ffn::inline v0
