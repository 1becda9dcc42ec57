#include "ffn/io/tokenizer/json_components.h"

#include <array>
#include <optional>
#include <utility>

#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

template <class Value>
using Named = std::pair<std::string_view, Value>;

template <class Value, std::size_t count>
std::optional<Value> named(const std::array<Named<Value>, count>& table, std::string_view name) {
  for (const auto& [key, value] : table)
    if (key == name) return value;
  return std::nullopt;
}

constexpr std::array<Named<NormalForm>, 4> kForms{{{"NFC", NormalForm::nfc},
                                                   {"NFD", NormalForm::nfd},
                                                   {"NFKC", NormalForm::nfkc},
                                                   {"NFKD", NormalForm::nfkd}}};

constexpr std::array<Named<SplitBehavior>, 5> kBehaviors{{
    {"Removed", SplitBehavior::removed},
    {"Isolated", SplitBehavior::isolated},
    {"MergedWithPrevious", SplitBehavior::merged_with_previous},
    {"MergedWithNext", SplitBehavior::merged_with_next},
    {"Contiguous", SplitBehavior::contiguous},
}};

constexpr std::array<Named<PrependScheme>, 3> kSchemes{{{"first", PrependScheme::first},
                                                        {"never", PrependScheme::never},
                                                        {"always", PrependScheme::always}}};

// {"String": "…"} or {"Regex": "…"}.
Pattern read_pattern(const JsonPart& part) {
  const JsonPart pattern = part.part("pattern");
  pattern.only({"String", "Regex"});
  if (pattern.object().size() != 1) pattern.reject("is not one of String and Regex");
  if (pattern.has("String")) return Pattern::literal(pattern.text("String"));
  return Pattern(pattern.text("Regex"), part.where());
}

SplitBehavior read_behavior(const JsonPart& part, std::string_view missing = {}) {
  const std::string name = missing.empty() ? part.text("behavior") : part.text("behavior", missing);
  const auto behavior = named(kBehaviors, name);
  if (!behavior) part.reject("has the unknown behavior ", in_quotes(name));
  return *behavior;
}

std::string read_character(const JsonPart& part, const char* key) {
  const std::string text = part.text(key);
  if (count_code_points(text) != 1) part.reject("has a '", key, "' that is not one character");
  return text;
}

template <class Component>
std::vector<Component> read_all(const JsonPart& part, const char* key,
                                Component (*read)(const JsonPart&)) {
  part.only({"type", key});
  std::vector<Component> components;
  for (const JsonPart& inner : part.parts(key)) components.push_back(read(inner));
  return components;
}

PrependScheme read_scheme(const JsonPart& part) {
  part.only({"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"});
  const std::string name = part.text("prepend_scheme", "always");
  const auto scheme = named(kSchemes, name);
  if (!scheme) part.reject("has the unknown prepend_scheme ", in_quotes(name));
  if (part.boolean("add_prefix_space", true)) return *scheme;
  if (part.has("prepend_scheme") && *scheme != PrependScheme::never)
    part.reject("has add_prefix_space false, but prepend_scheme ", in_quotes(name));
  return PrependScheme::never;
}

Normalizer read_bert_normalizer(const JsonPart& part) {
  part.only({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  BertNormalizerOptions options;
  options.clean_text = part.boolean("clean_text");
  options.handle_chinese_chars = part.boolean("handle_chinese_chars");
  options.lowercase = part.boolean("lowercase");
  options.strip_accents = part.boolean("strip_accents", options.lowercase);
  return bert_normalizer(options);
}

std::int32_t read_id(const JsonPart& part, const json& value) {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= kMost)
    part.reject("has an id that is no integer below 2^31");
  return static_cast<std::int32_t>(value.get<std::uint64_t>());
}

// ["[CLS]", 101]
std::int32_t read_token_pair(const JsonPart& part, const char* key) {
  const json& pair = part.array(key);
  if (pair.size() != 2 || !pair[0].is_string())
    part.reject("has a '", key, "' that is no [token, id]");
  return read_id(part, pair[1]);
}

void add_special(const JsonPart& part, const JsonPart& piece, std::vector<std::int32_t>& ids) {
  const JsonPart special = piece.part("SpecialToken");
  const JsonPart known = part.part("special_tokens");
  const std::string name = special.text("id");
  if (!known.has(name.c_str()))
    part.reject("uses ", in_quotes(name), ", which is none of its special_tokens");
  const JsonPart token = known.part(name.c_str());
  token.only({"id", "ids", "tokens"});
  for (const json& id : token.array("ids")) ids.push_back(read_id(token, id));
}

Surroundings read_template(const JsonPart& part) {
  part.only({"type", "single", "pair", "special_tokens"});
  Surroundings around;
  int texts = 0;
  for (const JsonPart& piece : part.parts("single")) {
    piece.only({"Sequence", "SpecialToken"});
    if (piece.object().size() != 1) piece.reject("is not one of Sequence and SpecialToken");
    if (piece.has("Sequence")) {
      if (piece.part("Sequence").text("id") != "A") piece.reject("names a second text");
      ++texts;
    } else {
      add_special(part, piece, texts == 0 ? around.before : around.after);
    }
  }
  if (texts != 1) part.reject("holds the text ", texts, " times, expected once");
  return around;
}

Surroundings read_processors(const JsonPart& part) {
  Surroundings all;
  for (Surroundings& one : read_all(part, "processors", read_post_processor)) {
    if (one.before.empty() && one.after.empty()) continue;
    if (!all.before.empty() || !all.after.empty()) part.reject("adds tokens in two of its steps");
    all = std::move(one);
  }
  return all;
}

}  // namespace

Normalizer read_normalizer(const JsonPart& part) {
  const std::string type = part.text("type");
  if (type == "Sequence") return in_sequence(read_all(part, "normalizers", read_normalizer));
  if (type == "BertNormalizer") return read_bert_normalizer(part);
  if (type == "Replace") {
    part.only({"type", "pattern", "content"});
    return replace(read_pattern(part), part.text("content"));
  }
  if (type == "Prepend") {
    part.only({"type", "prepend"});
    return prepend(part.text("prepend"));
  }
  if (type == "Strip") {
    part.only({"type", "strip_left", "strip_right"});
    return strip(part.boolean("strip_left"), part.boolean("strip_right"));
  }
  const auto form = named(kForms, type);
  if (form || type == "Lowercase" || type == "StripAccents" || type == "ByteLevel") {
    part.only({"type"});
    if (form) return normal_form(*form);
    if (type == "ByteLevel") return bytes_as_characters();
    return type == "Lowercase" ? lowercase() : strip_accents();
  }
  part.reject("has the type ", in_quotes(type), ", which this program does not know");
}

PreTokenizer read_pre_tokenizer(const JsonPart& part) {
  const std::string type = part.text("type");
  if (type == "Sequence") return in_sequence(read_all(part, "pretokenizers", read_pre_tokenizer));
  if (type == "ByteLevel") {
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return byte_level({part.boolean("add_prefix_space"), part.boolean("use_regex", true)});
  }
  if (type == "Split") {
    part.only({"type", "pattern", "behavior", "invert"});
    return split(read_pattern(part), read_behavior(part), part.boolean("invert"));
  }
  if (type == "Digits") {
    part.only({"type", "individual_digits"});
    return digits(part.boolean("individual_digits"));
  }
  if (type == "Punctuation") {
    part.only({"type", "behavior"});
    return punctuation(read_behavior(part, "Isolated"));
  }
  if (type == "Metaspace") {
    const PrependScheme scheme = read_scheme(part);
    return metaspace(read_character(part, "replacement"), scheme, part.boolean("split", true));
  }
  if (type == "Whitespace" || type == "WhitespaceSplit" || type == "BertPreTokenizer") {
    part.only({"type"});
    if (type == "Whitespace") return whitespace();
    return type == "WhitespaceSplit" ? whitespace_split() : bert_pre_tokenizer();
  }
  part.reject("has the type ", in_quotes(type), ", which this program does not know");
}

TokenDecoder read_decoder(const JsonPart& part) {
  const std::string type = part.text("type");
  if (type == "Sequence") return in_sequence(read_all(part, "decoders", read_decoder));
  if (type == "ByteLevel") {
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return decode_byte_level();
  }
  if (type == "WordPiece") {
    part.only({"type", "prefix", "cleanup"});
    return decode_word_piece(part.text("prefix"), part.boolean("cleanup"));
  }
  if (type == "Metaspace") {
    const PrependScheme scheme = read_scheme(part);
    return decode_metaspace(read_character(part, "replacement"), scheme);
  }
  if (type == "Replace") {
    part.only({"type", "pattern", "content"});
    return decode_replace(read_pattern(part), part.text("content"));
  }
  if (type == "Strip") {
    part.only({"type", "content", "start", "stop"});
    return decode_strip(read_character(part, "content"),
                        static_cast<std::size_t>(part.integer("start")),
                        static_cast<std::size_t>(part.integer("stop")));
  }
  if (type == "ByteFallback" || type == "Fuse") {
    part.only({"type"});
    return type == "Fuse" ? decode_fuse() : decode_byte_fallback();
  }
  part.reject("has the type ", in_quotes(type), ", which this program does not know");
}

Surroundings read_post_processor(const JsonPart& part) {
  const std::string type = part.text("type");
  if (type == "TemplateProcessing") return read_template(part);
  if (type == "Sequence") return read_processors(part);
  if (type == "ByteLevel") {  // trims offsets only
    part.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return {};
  }
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    part.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    return {{read_token_pair(part, "cls")}, {read_token_pair(part, "sep")}};
  }
  part.reject("has the type ", in_quotes(type), ", which this program does not know");
}

}  // namespace ffn::inline v0
