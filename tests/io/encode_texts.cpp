// For tools/check_tokenizers: ids and decoded text of every line of standard input, which is a text
// in hexadecimal. The tokenizer is tokenizer.json, or the vocabulary of a GGUF file as JSON (names
// as in GgufVocabulary).
//
//   encode_texts tokenizer.json|vocabulary.json [--time]
//
// A line out: ids with spaces between, a tab, the decoded text in hexadecimal. --time prints texts,
// bytes, ids and seconds of encoding on standard error.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/io/mapped_file.h"
#include "ffn/io/tokenizer/gguf_vocabulary.h"
#include "ffn/io/tokenizer/tokenizer_json.h"

namespace {

using nlohmann::json;

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::unique_ptr<const ffn::Tokenizer> from_vocabulary(const json& file, const std::string& path) {
  const auto list = [&](const char* key) { return file.value(key, std::vector<std::string>{}); };
  const auto id = [&](const char* key) -> std::optional<std::int64_t> {
    if (!file.contains(key)) return std::nullopt;
    return file.at(key).get<std::int64_t>();
  };
  const auto flag = [&](const char* key) -> std::optional<bool> {
    if (!file.contains(key)) return std::nullopt;
    return file.at(key).get<bool>();
  };
  const std::string model = file.at("model"), pre = file.value("pre", "");
  const auto tokens = list("tokens"), merges = list("merges");
  const auto token_views = views(tokens), merge_views = views(merges);
  const auto scores = file.value("scores", std::vector<float>{});
  const auto types = file.value("token_types", std::vector<std::int32_t>{});
  ffn::GgufVocabulary vocabulary;
  vocabulary.model = model;
  vocabulary.pre = pre;
  vocabulary.tokens = token_views;
  vocabulary.merges = merge_views;
  vocabulary.scores = scores;
  vocabulary.token_types = types;
  vocabulary.bos_token_id = id("bos_token_id");
  vocabulary.eos_token_id = id("eos_token_id");
  vocabulary.unknown_token_id = id("unknown_token_id");
  vocabulary.separator_token_id = id("separator_token_id");
  vocabulary.add_bos_token = flag("add_bos_token");
  vocabulary.add_eos_token = flag("add_eos_token");
  vocabulary.add_space_prefix = flag("add_space_prefix");
  return ffn::make_gguf_tokenizer(vocabulary, path);
}

std::unique_ptr<const ffn::Tokenizer> load(const std::string& path) {
  const ffn::MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  if (!text.starts_with("{\"gguf\"")) return ffn::parse_tokenizer_json(file.bytes(), path);
  return from_vocabulary(json::parse(text), path);
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void print(const ffn::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::string line;
  for (const std::int32_t id : ids) line += std::to_string(id) + ' ';
  line += '\t';
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : tokenizer.decode(ids, false)) {
    line += kDigits[static_cast<unsigned char>(c) >> 4];
    line += kDigits[static_cast<unsigned char>(c) & 15];
  }
  std::puts(line.c_str());
}

}  // namespace

int main(int count, char** arguments) try {
  const bool timed = count == 3 && std::string_view(arguments[2]) == "--time";
  const auto tokenizer = load(count > 1 ? arguments[1] : "");
  std::size_t texts = 0, bytes = 0, made = 0;
  double seconds = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = from_hex(line);
    std::vector<std::int32_t> ids;
    const auto start = std::chrono::steady_clock::now();
    tokenizer->encode(text, {}, ids);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++texts;
    bytes += text.size();
    made += ids.size();
    if (!timed) print(*tokenizer, ids);
  }
  if (timed)
    std::fprintf(stderr, "%zu texts, %zu bytes, %zu ids, %.6f s\n", texts, bytes, made, seconds);
} catch (const ffn::Error& error) {
  std::fprintf(stderr, "encode_texts: %s\n", error.what());
  return 3;
}
