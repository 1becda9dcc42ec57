// JSON files of strangers as a document: bounded in size and depth, every key once. For sources of
// this folder only: it shows the JSON library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

inline constexpr std::size_t kTokenizerByteLimit = std::size_t{256} << 20;
inline constexpr std::size_t kTokenizerDepthLimit = 32;

// The object that is the whole file. Memory: about 10 bytes per byte of the file. Errors: Error{io}
// naming `where`: no JSON, no object, a repeated key, too large, too deep; a git-LFS pointer and
// the like by name.
nlohmann::json parse_json_document(std::span<const std::byte> file, std::string_view where);

// One component of tokenizer.json: an object whose keys are taken one by one. Errors: Error{io}
// naming the file and the key.
class JsonPart {
 public:
  // `object` must outlive this; `name` says which part of the file it is.
  JsonPart(const nlohmann::json& object, std::string_view where, std::string name);

  const std::string& name() const { return name_; }
  std::string_view where() const { return where_; }
  const nlohmann::json& object() const { return object_; }

  // Refuses keys that are none of these.
  void only(std::initializer_list<std::string_view> keys) const;
  bool has(const char* key) const;  // and not null
  const nlohmann::json& at(const char* key) const;
  bool boolean(const char* key) const;
  bool boolean(const char* key, bool missing) const { return has(key) ? boolean(key) : missing; }
  std::string text(const char* key) const;
  std::string text(const char* key, std::string_view missing) const {
    return has(key) ? text(key) : std::string(missing);
  }
  std::int64_t integer(const char* key) const;  // ≥ 0
  const nlohmann::json& array(const char* key) const;
  JsonPart part(const char* key) const;
  // The objects of a list, each as a part.
  std::vector<JsonPart> parts(const char* key) const;

  template <class... Details>
  [[noreturn]] void reject(const Details&... details) const {
    fail(ErrorKind::io, where_, name_, " ", details...);
  }

 private:
  const nlohmann::json& object_;
  std::string where_, name_;
};

}  // namespace ffn::inline v0
