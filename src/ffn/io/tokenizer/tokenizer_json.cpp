#include "ffn/io/tokenizer/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/mapped_file.h"
#include "ffn/io/tokenizer/bpe.h"
#include "ffn/io/tokenizer/end_of_turn.h"
#include "ffn/io/tokenizer/json_components.h"
#include "ffn/io/tokenizer/word_piece.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

Vocabulary read_vocabulary(const JsonPart& model) {
  const JsonPart vocab = model.part("vocab");
  std::vector<Vocabulary::Entry> tokens;
  tokens.reserve(vocab.object().size());
  for (const auto& [token, id] : vocab.object().items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() > 0x7FFFFFFF)
      vocab.reject("gives ", in_quotes(token), " an id that is no integer below 2^31");
    tokens.push_back({token, id.get<std::int64_t>()});
  }
  return Vocabulary(tokens, model.where());
}

// ["a", "b"], or "a b" in older files.
TokenPair read_merge(const JsonPart& model, const json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
  if (merge.is_string()) {
    const std::string_view text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos)
      return {text.substr(0, space), text.substr(space + 1)};
  }
  model.reject("has a merge that is no pair of tokens");
}

std::unique_ptr<TokenModel> read_bpe(const JsonPart& model) {
  model.only({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
              "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"});
  if (model.has("dropout") && model.at("dropout") != 0)
    model.reject("has a dropout, which makes ids random: set it to null");
  BpeOptions options;
  options.unknown = model.text("unk_token", "");
  options.continuing_prefix = model.text("continuing_subword_prefix", "");
  options.end_suffix = model.text("end_of_word_suffix", "");
  options.fuse_unknown = model.boolean("fuse_unk", false);
  options.byte_fallback = model.boolean("byte_fallback", false);
  options.ignore_merges = model.boolean("ignore_merges", false);
  const json& list = model.array("merges");
  std::vector<TokenPair> merges;
  merges.reserve(list.size());
  for (const json& merge : list)
    if (!merge.is_string() || !merge.get_ref<const std::string&>().starts_with("#version"))
      merges.push_back(read_merge(model, merge));
  return make_bpe(read_vocabulary(model), merges, std::move(options), model.where());
}

std::unique_ptr<TokenModel> read_word_piece(const JsonPart& model) {
  model.only(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPieceOptions options;
  options.unknown = model.text("unk_token");
  options.continuing_prefix = model.text("continuing_subword_prefix");
  options.longest_word = static_cast<std::size_t>(model.integer("max_input_chars_per_word"));
  return make_word_piece(read_vocabulary(model), std::move(options), model.where());
}

std::unique_ptr<TokenModel> read_model(const JsonPart& model) {
  // Files of before 2022 may lack the type: merges tell.
  const std::string type =
      model.text("type", model.has("merges") ? "BPE" : "a model without a type");
  if (type == "BPE") return read_bpe(model);
  if (type == "WordPiece") return read_word_piece(model);
  model.reject("has the type ", in_quotes(type),
               ", which this program does not know; known are BPE "
               "and WordPiece");
}

// The library counts ids of added tokens itself; a file that says otherwise is refused.
std::vector<AddedToken> read_added_tokens(const JsonPart& root, const Vocabulary& vocabulary) {
  std::vector<AddedToken> tokens;
  if (!root.has("added_tokens")) return tokens;
  std::unordered_set<std::string> contents;
  std::int64_t next = static_cast<std::int64_t>(vocabulary.count());
  for (const JsonPart& part : root.parts("added_tokens")) {
    part.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token;
    token.content = part.text("content");
    token.single_word = part.boolean("single_word");
    token.lstrip = part.boolean("lstrip");
    token.rstrip = part.boolean("rstrip");
    token.normalized = part.boolean("normalized");
    token.special = part.boolean("special");
    if (token.content.empty()) part.reject("has no content");
    if (!contents.insert(token.content).second)
      part.reject("has the content ", in_quotes(token.content), " of another added token");
    const auto known = vocabulary.find(token.content);
    const std::int64_t id = part.integer("id"), expected = known ? *known : next++;
    if (id != expected)
      part.reject("gives ", in_quotes(token.content), " the id ", id, ", expected ", expected);
    token.id = static_cast<std::int32_t>(id);
    if (!known && vocabulary.token(token.id).has_value())
      part.reject("gives ", in_quotes(token.content), " the id ", id, " of ",
                  in_quotes(*vocabulary.token(token.id)));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<std::string> read_token_name(const JsonPart& config, const char* key) {
  if (!config.has(key)) return std::nullopt;
  if (config.at(key).is_object()) return config.part(key).text("content");
  return config.text(key);
}

std::optional<std::int32_t> id_of(const std::optional<std::string>& name,
                                  const TokenizerParts& parts, std::string_view where,
                                  std::string_view what) {
  if (!name) return std::nullopt;
  for (const AddedToken& token : parts.added)
    if (token.content == *name) return token.id;
  const auto id = parts.model->vocabulary().find(*name);
  check(id.has_value(), ErrorKind::io, where, "the configuration names ", in_quotes(*name), " as ",
        what, ", which is no token here");
  return id;
}

}  // namespace

TokenizerConfig parse_tokenizer_config(std::span<const std::byte> file, std::string_view where) {
  const json document = parse_json_document(file, where);
  const JsonPart root(document, where, "tokenizer_config");
  TokenizerConfig config;
  config.bos = read_token_name(root, "bos_token");
  config.eos = read_token_name(root, "eos_token");
  // Some files hold a list of named templates; those are not for us.
  if (root.has("chat_template") && root.at("chat_template").is_string())
    config.chat_template = root.text("chat_template");
  return config;
}

std::unique_ptr<const Tokenizer> parse_tokenizer_json(std::span<const std::byte> file,
                                                      std::string_view where,
                                                      const TokenizerConfig& config) {
  const json document = parse_json_document(file, where);
  const JsonPart root(document, where, "tokenizer");
  root.only({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
             "post_processor", "decoder", "model"});
  if (const std::string version = root.text("version", "1.0"); version != "1.0")
    root.reject("has the version ", in_quotes(version), ", expected '1.0'");
  TokenizerParts parts;
  const JsonPart model = root.part("model");
  parts.model = read_model(model);
  parts.name = model.has("merges") ? "bpe" : "wordpiece";
  parts.added = read_added_tokens(root, parts.model->vocabulary());
  if (root.has("normalizer")) parts.normalizer = read_normalizer(root.part("normalizer"));
  if (root.has("pre_tokenizer"))
    parts.pre_tokenizer = read_pre_tokenizer(root.part("pre_tokenizer"));
  if (root.has("decoder")) parts.decoder = read_decoder(root.part("decoder"));
  if (root.has("post_processor")) parts.around = read_post_processor(root.part("post_processor"));
  parts.special.bos = id_of(config.bos, parts, where, "first token of a text");
  parts.special.eos = id_of(config.eos, parts, where, "last token of a text");
  for (const AddedToken& token : parts.added)
    if (ends_turn(token.content)) parts.special.end_of_turn.push_back(token.id);
  std::ranges::sort(parts.special.end_of_turn);
  return assemble(std::move(parts), where);
}

std::unique_ptr<const Tokenizer> read_tokenizer_folder(const std::string& folder) {
  const std::filesystem::path base(folder);
  TokenizerConfig config;
  if (const auto path = base / "tokenizer_config.json"; std::filesystem::exists(path)) {
    const MappedFile file(path.string());
    config = parse_tokenizer_config(file.bytes(), file.path());
  }
  const MappedFile file((base / "tokenizer.json").string());
  return parse_tokenizer_json(file.bytes(), file.path(), config);
}

}  // namespace ffn::inline v0
