#include "ffn/io/tokenizer/word_piece.h"

#include <optional>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/trie.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

class WordPiece final : public TokenModel {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options, std::string_view where)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
    const auto unknown = vocabulary_.find(options_.unknown);
    check(unknown.has_value(), ErrorKind::io, where, "the unknown token ",
          in_quotes(options_.unknown), " is not in the vocabulary");
    unknown_ = *unknown;
    for (std::int32_t id = 0; id < vocabulary_.end(); ++id)
      if (const auto token = vocabulary_.token(id)) tokens_.add(*token, id);
    continuing_ = tokens_.walk(options_.continuing_prefix);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void encode(std::string_view word, MergeScratch&, std::vector<std::int32_t>& ids) const override {
    const std::size_t before = ids.size();
    bool made_up = count_code_points(word) <= options_.longest_word;
    for (std::size_t at = 0; made_up && at < word.size();) {
      std::optional<Trie::Found> found;
      if (at == 0)
        found = tokens_.longest(word);
      else if (continuing_)
        found = tokens_.longest(word.substr(at), *continuing_);
      made_up = found.has_value();
      if (made_up) {
        ids.push_back(found->value);
        at += found->bytes;
      }
    }
    if (made_up) return;
    ids.resize(before);
    ids.push_back(unknown_);
  }

 private:
  Vocabulary vocabulary_;
  WordPieceOptions options_;
  Trie tokens_;
  std::optional<std::int32_t> continuing_;  // the node behind the prefix
  std::int32_t unknown_ = 0;
};

}  // namespace

std::unique_ptr<TokenModel> make_word_piece(Vocabulary vocabulary, WordPieceOptions options,
                                            std::string_view where) {
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(options), where);
}

}  // namespace ffn::inline v0
