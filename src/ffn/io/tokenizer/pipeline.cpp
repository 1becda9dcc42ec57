#include "ffn/io/tokenizer/pipeline.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

// Words of a document that were encoded before: views into its pieces, ranges of its ids.
struct WordCache {
  struct Ids {
    std::size_t begin = 0, end = 0;
  };
  std::unordered_map<std::string_view, Ids> words;
};
constexpr std::size_t kCachedWordBytes = 64;  // longer ones hardly come twice

// Offsets of symbols have 32 bits, and normal forms make a text at most 18 times as long.
constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;

class Pipeline final : public Tokenizer {
 public:
  Pipeline(TokenizerParts parts, std::string_view where)
      : parts_(std::move(parts)), vocabulary_(parts_.model->vocabulary()) {
    end_ = vocabulary_.end();
    added_ = AddedTokens(std::move(parts_.added), [this](std::string text) {
      return parts_.added_is_normal ? text : normal(std::move(text)).text;
    });
    for (const AddedToken& token : added_.tokens()) {
      if (token.id < 0)
        fail(ErrorKind::io, where, "the added token ", in_quotes(token.content), " has the id ",
             token.id);
      end_ = std::max(end_, token.id + 1);
      added_by_id_[token.id] = token.content;
      added_by_name_.emplace(token.content, token.id);
      if (token.special) special_names_.insert(token.content);
    }
    if (!parts_.decoder) parts_.decoder = decode_spaces();
    check_ids(where);
  }

  std::string_view name() const override { return parts_.name; }
  std::int64_t vocabulary() const override { return end_; }
  const SpecialTokens& special() const override { return parts_.special; }

  std::optional<std::int32_t> find(std::string_view token) const override {
    const auto added = added_by_name_.find(token);
    if (added != added_by_name_.end()) return added->second;
    return vocabulary_.find(token);
  }

  void encode(std::string_view bytes, const EncodeOptions& options,
              std::vector<std::int32_t>& ids) const override {
    check(bytes.size() <= kMostTextBytes, ErrorKind::io, parts_.name, "a text has ", bytes.size(),
          " bytes, at most ", kMostTextBytes, ": encode it in documents");
    const auto& around = parts_.around;
    if (options.add_special) ids.insert(ids.end(), around.before.begin(), around.before.end());
    Pieces pieces = pieces_of(valid_utf8(bytes), options.parse_special);
    if (parts_.pre_tokenizer) parts_.pre_tokenizer(pieces);
    encode_pieces(pieces, ids);
    if (options.add_special) ids.insert(ids.end(), around.after.begin(), around.after.end());
  }

  std::string decode(std::span<const std::int32_t> ids, bool skip_special) const override {
    std::vector<std::string> tokens;
    tokens.reserve(ids.size());
    for (const std::int32_t id : ids) {
      check(id >= 0 && id < end_, ErrorKind::io, parts_.name, "id ", id,
            " is outside the vocabulary of ", end_);
      const auto token = token_of(id);
      if (!token || (skip_special && special_names_.contains(*token))) continue;
      tokens.emplace_back(*token);
    }
    if (tokens.empty()) return {};
    parts_.decoder(tokens);
    std::string text;
    for (const std::string& token : tokens) text += token;
    return valid_utf8(text);
  }

 private:
  NormalText normal(std::string text) const {
    NormalText result{std::move(text)};
    if (parts_.normalizer) parts_.normalizer(result);
    return result;
  }

  std::optional<std::string_view> token_of(std::int32_t id) const {
    const auto added = added_by_id_.find(id);
    return added != added_by_id_.end() ? added->second : vocabulary_.token(id);
  }

  void check_ids(std::string_view where) const {
    const auto known = [&](std::int32_t id, std::string_view what) {
      check(token_of(id).has_value(), ErrorKind::io, where, "the ", what, " token has the id ", id,
            ", which is no token of the vocabulary of ", end_);
    };
    if (parts_.special.bos) known(*parts_.special.bos, "first (bos)");
    if (parts_.special.eos) known(*parts_.special.eos, "last (eos)");
    for (const std::int32_t id : parts_.special.end_of_turn) known(id, "end-of-turn");
    for (const std::int32_t id : parts_.around.before) known(id, "post-processor's");
    for (const std::int32_t id : parts_.around.after) known(id, "post-processor's");
  }

  // Tokens that stand in the text, and the normalised text between them.
  Pieces pieces_of(const std::string& text, bool parse_special) const {
    Pieces pieces;
    for (const TextSection& section : added_.sections(text, false, parse_special)) {
      if (section.id >= 0) {
        pieces.list.push_back({0, 0, section.id, false});
        continue;
      }
      const auto [part, whole_start] =
          normal(text.substr(section.begin, section.end - section.begin));
      const std::size_t start = pieces.text.size();
      for (const TextSection& inner : added_.sections(part, true, parse_special))
        pieces.list.push_back({start + inner.begin, start + inner.end, inner.id,
                               section.begin == 0 && inner.begin == 0 && whole_start});
      pieces.text += part;
    }
    return pieces;
  }

  void encode_pieces(const Pieces& pieces, std::vector<std::int32_t>& ids) const {
    MergeScratch scratch;
    WordCache cache;
    for (const Piece& piece : pieces.list) {
      if (piece.id >= 0) {
        ids.push_back(piece.id);
        continue;
      }
      const std::string_view word = pieces.at(piece);
      if (word.empty()) continue;
      if (word.size() > kCachedWordBytes) {
        parts_.model->encode(word, scratch, ids);
        continue;
      }
      const auto [known, fresh] = cache.words.try_emplace(word);
      if (fresh) {
        known->second.begin = ids.size();
        parts_.model->encode(word, scratch, ids);
        known->second.end = ids.size();
      } else {
        for (std::size_t i = known->second.begin; i < known->second.end; ++i) ids.push_back(ids[i]);
      }
    }
  }

  TokenizerParts parts_;
  const Vocabulary& vocabulary_;
  AddedTokens added_;
  // Views of added_.
  std::unordered_map<std::int32_t, std::string_view> added_by_id_;
  std::unordered_map<std::string_view, std::int32_t> added_by_name_;
  std::unordered_set<std::string_view> special_names_;
  std::int32_t end_ = 0;
};

}  // namespace

std::unique_ptr<const Tokenizer> assemble(TokenizerParts parts, std::string_view where) {
  return std::make_unique<Pipeline>(std::move(parts), where);
}

}  // namespace ffn::inline v0
