// The tokenizer fixtures (tests/fixtures/make_tokenizers.py).
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::testing_io {

using Ids = std::vector<std::int32_t>;

inline std::filesystem::path tokenizer_fixture(const std::string& name) {
  return std::filesystem::path(FFN_FIXTURES) / "tokenizers" / name;
}

inline nlohmann::json read_tokenizer_json(const std::string& name) {
  std::ifstream in(tokenizer_fixture(name));
  return nlohmann::json::parse(in);
}

inline std::vector<std::string> tokenizer_texts() {
  std::vector<std::string> texts;
  const nlohmann::json file = read_tokenizer_json("texts.json");
  for (const nlohmann::json& item : file.at("hex")) {
    const auto hex = item.get<std::string>();
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    texts.push_back(bytes);
  }
  return texts;
}

inline Ids ids_of(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  Ids ids;
  tokenizer.encode(text, options, ids);
  return ids;
}

}  // namespace ffn::testing_io
