#include "ffn/io/tokenizer/gguf_vocabulary.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/bpe.h"
#include "ffn/io/tokenizer/end_of_turn.h"
#include "ffn/io/tokenizer/gguf_patterns.h"
#include "ffn/io/tokenizer/pipeline.h"
#include "ffn/io/tokenizer/sentence_piece.h"
#include "ffn/io/tokenizer/utf8.h"
#include "ffn/io/tokenizer/word_piece.h"

namespace ffn::inline v0 {
namespace {

enum class TokenType : std::int32_t { normal = 1, unknown, control, user_defined, unused, byte };

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581, a space within tokens

// A vocabulary whose lists were compared with each other.
class Source {
 public:
  Source(const GgufVocabulary& file, std::string_view where) : file_(file), where_(where) {
    check(!file.tokens.empty(), ErrorKind::io, where, "has no tokens (tokenizer.ggml.tokens)");
    check(file.tokens.size() < 0x7FFFFFFF, ErrorKind::io, where, "has ", file.tokens.size(),
          " tokens, expected less than 2^31");
    check_length(file.token_types.size(), "token types (tokenizer.ggml.token_type)");
    check_length(file.scores.size(), "scores (tokenizer.ggml.scores)");
    for (std::size_t id = 0; id < file.token_types.size(); ++id)
      check(file.token_types[id] >= 1 && file.token_types[id] <= 6, ErrorKind::io, where, "token ",
            id, " has the unknown type ", file.token_types[id], ", expected 1 to 6");
    for (std::size_t id = 0; id < file.tokens.size(); ++id)
      if (!is_valid_utf8(file.tokens[id]))
        fail(ErrorKind::io, where, "token ", id, " (", in_quotes(file.tokens[id]), ") is no UTF-8");
  }

  const GgufVocabulary& file() const { return file_; }
  std::string_view where() const { return where_; }
  std::size_t count() const { return file_.tokens.size(); }
  TokenType type(std::size_t id) const {
    return file_.token_types.empty() ? TokenType::normal
                                     : static_cast<TokenType>(file_.token_types[id]);
  }

  Vocabulary vocabulary() const { return {file_.tokens, where_}; }

  std::optional<std::int32_t> special(const std::optional<std::int64_t>& id,
                                      std::string_view what) const {
    if (!id) return std::nullopt;
    check((*id >= 0 && *id < static_cast<std::int64_t>(count())) || fault(555), ErrorKind::io,
          where_, "the ", what, " token has the id ", *id, ", outside the vocabulary of ", count(),
          " tokens");
    return static_cast<std::int32_t>(*id);
  }

 private:
  void check_length(std::size_t found, std::string_view what) const {
    check(found == 0 || found == file_.tokens.size(), ErrorKind::io, where_, "has ", found, " ",
          what, " for ", file_.tokens.size(), " tokens");
  }

  const GgufVocabulary& file_;
  std::string_view where_;
};

void add_special_tokens(const Source& source, TokenizerParts& parts) {
  const GgufVocabulary& file = source.file();
  parts.special.bos = source.special(file.bos_token_id, "first (bos)");
  parts.special.eos = source.special(file.eos_token_id, "last (eos)");
  if (const auto eot = source.special(file.eot_token_id, "end-of-turn"))
    parts.special.end_of_turn.push_back(*eot);
  for (std::size_t id = 0; id < source.count(); ++id) {
    const TokenType type = source.type(id);
    const auto token = static_cast<std::int32_t>(id);
    const bool special = type == TokenType::control || type == TokenType::unknown;
    if (special && ends_turn(file.tokens[id]) && file.eot_token_id != token)
      parts.special.end_of_turn.push_back(token);
    if (!special && type != TokenType::user_defined) continue;
    if (file.tokens[id].empty()) continue;
    AddedToken added;
    added.content = file.tokens[id];
    added.id = token;
    added.special = special;
    parts.added.push_back(std::move(added));
  }
  std::ranges::sort(parts.special.end_of_turn);
}

void add_around(const Source& source, bool bos, bool eos, TokenizerParts& parts) {
  const GgufVocabulary& file = source.file();
  const auto add = [&](const std::optional<std::int32_t>& id, std::string_view what,
                       std::vector<std::int32_t>& ids) {
    check(id.has_value(), ErrorKind::io, source.where(), "adds a ", what,
          " token to every text but names none");
    ids.push_back(*id);
  };
  if (file.add_bos_token.value_or(bos)) add(parts.special.bos, "first (bos)", parts.around.before);
  if (file.add_eos_token.value_or(eos)) add(parts.special.eos, "last (eos)", parts.around.after);
}

TokenizerParts byte_level_parts(const Source& source) {
  const GgufVocabulary& file = source.file();
  std::vector<TokenPair> merges;
  merges.reserve(file.merges.size());
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const std::string_view merge = file.merges[rank];
    const std::size_t space = merge.find(' ', 1);  // a first byte belongs to the left token
    if (space == std::string_view::npos)
      fail(ErrorKind::io, source.where(), "merge ", rank, " (", in_quotes(merge),
           ") is no pair of tokens");
    merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  GgufWords words = gguf_words(file.pre, source.where());
  BpeOptions options;
  options.ignore_merges = words.ignore_merges;
  TokenizerParts parts;
  parts.name = "bpe";
  parts.model = make_bpe(source.vocabulary(), merges, std::move(options), source.where());
  parts.pre_tokenizer = std::move(words.pre_tokenizer);
  parts.normalizer = std::move(words.normalizer);
  parts.decoder = decode_byte_level();
  add_special_tokens(source, parts);
  add_around(source, false, false, parts);
  return parts;
}

TokenizerParts score_parts(const Source& source) {
  const GgufVocabulary& file = source.file();
  check(!file.scores.empty(), ErrorKind::io, source.where(),
        "has no scores (tokenizer.ggml.scores), by which a 'llama' vocabulary merges");
  std::vector<bool> mergeable(source.count());
  for (std::size_t id = 0; id < source.count(); ++id)
    mergeable[id] =
        source.type(id) == TokenType::normal || source.type(id) == TokenType::user_defined;
  const auto unknown = source.special(file.unknown_token_id, "unknown");
  TokenizerParts parts;
  parts.name = "sentencepiece";
  parts.model = make_sentence_piece(source.vocabulary(), {file.scores.begin(), file.scores.end()},
                                    std::move(mergeable), unknown.value_or(-1), source.where());
  const bool prefix = file.add_space_prefix.value_or(true);
  std::vector<Normalizer> steps;
  if (prefix) steps.push_back(prepend(std::string(kSpaceMark)));
  steps.push_back(replace(Pattern::literal(" "), std::string(kSpaceMark)));
  parts.normalizer = in_sequence(std::move(steps));
  std::vector<TokenDecoder> decoders = {
      decode_replace(Pattern::literal(std::string(kSpaceMark)), " "), decode_byte_fallback(),
      decode_fuse()};
  if (prefix) decoders.push_back(decode_strip(" ", 1, 0));
  parts.decoder = in_sequence(std::move(decoders));
  add_special_tokens(source, parts);
  // Runs of spaces are tokens of their own in some vocabularies. SentencePiece looks for them where
  // spaces are marks already.
  for (AddedToken& token : parts.added) {
    if (token.special) continue;
    token.content = replaced(token.content, Pattern::literal(" "), kSpaceMark);
    token.normalized = true;
  }
  parts.added_is_normal = true;
  add_around(source, true, false, parts);
  return parts;
}

// In GGUF a token that begins a word has U+2581 before it, and one that continues it has nothing.
std::string word_piece_name(const Source& source, std::size_t id) {
  const std::string_view token = source.file().tokens[id];
  const TokenType type = source.type(id);
  if (type != TokenType::normal && type != TokenType::unused) return std::string(token);
  if (token.starts_with(kSpaceMark)) return std::string(token.substr(kSpaceMark.size()));
  return "##" + std::string(token);
}

TokenizerParts word_piece_parts(const Source& source) {
  const GgufVocabulary& file = source.file();
  const auto unknown = source.special(file.unknown_token_id, "unknown");
  WordPieceOptions options;
  if (unknown) options.unknown = word_piece_name(source, static_cast<std::size_t>(*unknown));
  TokenizerParts parts;
  parts.name = "wordpiece";
  std::vector<std::string> names;
  for (std::size_t id = 0; id < source.count(); ++id) names.push_back(word_piece_name(source, id));
  const std::vector<std::string_view> views(names.begin(), names.end());
  parts.model =
      make_word_piece(Vocabulary(views, source.where()), std::move(options), source.where());
  BertNormalizerOptions normal;
  normal.lowercase = normal.strip_accents = file.lowercase;
  parts.normalizer = bert_normalizer(normal);
  parts.pre_tokenizer = bert_pre_tokenizer();
  parts.decoder = decode_word_piece("##", true);
  add_special_tokens(source, parts);
  if (!parts.special.eos) parts.special.eos = source.special(file.separator_token_id, "separator");
  add_around(source, true, true, parts);
  return parts;
}

}  // namespace

std::unique_ptr<const Tokenizer> make_gguf_tokenizer(const GgufVocabulary& vocabulary,
                                                     std::string_view where) {
  const Source source(vocabulary, where);
  TokenizerParts parts;
  if (vocabulary.model == "gpt2")
    parts = byte_level_parts(source);
  else if (vocabulary.model == "llama")
    parts = score_parts(source);
  else if (vocabulary.model == "bert")
    parts = word_piece_parts(source);
  else
    fail(ErrorKind::io, where, "has a vocabulary of the kind ", in_quotes(vocabulary.model),
         " (tokenizer.ggml.model), which this program does not know; known are gpt2, llama, bert");
  return assemble(std::move(parts), where);
}

}  // namespace ffn::inline v0
