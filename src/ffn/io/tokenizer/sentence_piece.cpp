#include "ffn/io/tokenizer/sentence_piece.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

class SentencePiece final : public TokenModel {
 public:
  SentencePiece(Vocabulary vocabulary, std::vector<float> scores, std::vector<bool> mergeable,
                std::int32_t unknown, std::string_view where)
      : vocabulary_(std::move(vocabulary)),
        scores_(std::move(scores)),
        mergeable_(std::move(mergeable)),
        unknown_(unknown) {
    for (std::int32_t id = 0; id < vocabulary_.end(); ++id) {
      const auto token = vocabulary_.token(id);
      const auto at = static_cast<std::size_t>(id);
      if (!token || !mergeable_[at]) continue;
      if (std::isnan(scores_[at]))
        fail(ErrorKind::io, where, "token ", in_quotes(*token), " (id ", id,
             ") has a score that is no number");
      longest_ = std::max(longest_, token->size());
    }
    bytes_ = byte_tokens(vocabulary_);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void encode(std::string_view word, MergeScratch& scratch,
              std::vector<std::int32_t>& ids) const override {
    scratch.clear();
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t begin = at;
      next_code_point(word, at);
      scratch.add(-1, begin, at - begin);
    }
    const auto count = static_cast<std::int32_t>(scratch.symbols.size());
    for (std::int32_t i = 0; i + 1 < count; ++i) offer(word, i, scratch);
    while (!scratch.heap.empty()) {
      const MergeScratch::Candidate best = scratch.pop();
      const auto& symbol = scratch.symbols[static_cast<std::size_t>(best.left)];
      if (symbol.bytes == 0 || symbol.next < 0 ||
          symbol.bytes + scratch.symbols[static_cast<std::size_t>(symbol.next)].bytes != best.bytes)
        continue;  // a neighbour was merged since
      scratch.merge(best.left, best.merged);
      offer(word, scratch.symbols[static_cast<std::size_t>(best.left)].previous, scratch);
      offer(word, best.left, scratch);
    }
    for (const auto& symbol : scratch.symbols)
      if (symbol.bytes > 0) add_ids(word.substr(symbol.begin, symbol.bytes), symbol.id, ids);
  }

 private:
  std::optional<std::int32_t> piece(std::string_view text) const {
    if (text.size() > longest_) return std::nullopt;
    const auto id = vocabulary_.find(text);
    return id && mergeable_[static_cast<std::size_t>(*id)] ? id : std::nullopt;
  }

  void offer(std::string_view word, std::int32_t left, MergeScratch& scratch) const {
    if (left < 0) return;
    const auto& symbol = scratch.symbols[static_cast<std::size_t>(left)];
    if (symbol.next < 0) return;
    const std::uint32_t bytes =
        symbol.bytes + scratch.symbols[static_cast<std::size_t>(symbol.next)].bytes;
    if (const auto id = piece(word.substr(symbol.begin, bytes)))
      scratch.push(
          {(fault(556) ? 1 : -1) * static_cast<double>(scores_[static_cast<std::size_t>(*id)]),
           left, *id, bytes});
  }

  void add_ids(std::string_view text, std::int32_t id, std::vector<std::int32_t>& ids) const {
    if (id < 0) id = piece(text).value_or(-1);
    if (id >= 0) {
      ids.push_back(id);
      return;
    }
    const bool all = std::ranges::all_of(
        text, [&](char c) { return bytes_[static_cast<unsigned char>(c)] >= 0; });
    if (all) {
      for (const char c : text) ids.push_back(bytes_[static_cast<unsigned char>(c)]);
      return;
    }
    check(unknown_ >= 0, ErrorKind::io, "tokenizer", "has no token for ", in_quotes(text),
          ", no bytes for it and no unknown token");
    ids.push_back(unknown_);
  }

  Vocabulary vocabulary_;
  std::vector<float> scores_;
  std::vector<bool> mergeable_;  // by id: what text may become
  std::vector<std::int32_t> bytes_;
  std::size_t longest_ = 0;
  std::int32_t unknown_;
};

}  // namespace

std::unique_ptr<TokenModel> make_sentence_piece(Vocabulary vocabulary, std::vector<float> scores,
                                                std::vector<bool> mergeable, std::int32_t unknown,
                                                std::string_view where) {
  return std::make_unique<SentencePiece>(std::move(vocabulary), std::move(scores),
                                         std::move(mergeable), unknown, where);
}

}  // namespace ffn::inline v0
