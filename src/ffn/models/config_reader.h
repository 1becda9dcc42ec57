// Reads a Hugging Face config.json key by key; used by the families' *_config.cpp.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/spec.h"

namespace ffn::inline v0 {

// Errors of all: Error{io} naming the file, the key, what stands there and what was expected.
class ConfigReader {
 public:
  ConfigReader(std::string_view text, std::string_view where);

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most) const;
  double number(const char* key) const;
  std::string text(const char* key) const;
  bool flag(const char* key, bool otherwise) const;
  // A list of integers.
  std::vector<std::int64_t> integers(const char* key, std::int64_t least, std::int64_t most) const;
  // A table inside.
  ConfigReader section(const char* key) const;
  const nlohmann::ordered_json& json() const { return json_; }
  std::string_view where() const { return where_; }

  // Our activation's name for transformers' name under `key`.
  std::string_view activation(const char* key) const;

 private:
  ConfigReader() = default;

  template <class T>
  T get(const char* key, std::string_view expected) const;

  std::string where_;
  nlohmann::ordered_json json_;
};

// transformers' name of one of our activations; empty when it has none.
std::string_view transformers_activation(std::string_view ours);

inline constexpr std::int64_t kMostConfig = 1 << 20;  // of widths and counts in a file

}  // namespace ffn::inline v0
