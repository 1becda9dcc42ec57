// Our own JSON files, read without mercy: a key that is unknown, missing, repeated or of another
// type is an error. For sources of this project only: it shows the JSON library.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

inline constexpr std::int64_t kJsonByteLimit = std::int64_t{16} << 20;

// The object that is the whole of `text`. Throws Error{io} naming `where`: no JSON, no object, a
// repeated key, more than kJsonByteLimit bytes.
nlohmann::json parse_json_object(std::string_view text, std::string_view where);

// Of the file at `path`. Errors: also those of MappedFile.
nlohmann::json read_json_object(const std::string& path);

// Takes the keys of one object; finish() refuses what was not taken. Errors: Error{io} naming the
// file and the key.
class ObjectReader {
 public:
  // `object` must outlive this; `inside` names it within its file, empty for the whole.
  ObjectReader(const nlohmann::json& object, std::string where, std::string inside = {});

  std::int64_t integer(const char* key);  // ≥ 0: nothing in our files is below
  std::uint64_t seed(const char* key);    // all 64 bits
  double number(const char* key);
  bool boolean(const char* key);
  std::string text(const char* key);
  std::map<std::string, std::string> texts(const char* key);
  const nlohmann::json& array(const char* key);
  bool is_null(const char* key);  // takes the key when it is
  bool has(const char* key) const { return object_.contains(key); }
  ObjectReader object(const char* key);
  // "schema": 1.
  void schema(std::int64_t expected);
  void finish() const;

 private:
  const nlohmann::json& take(const char* key);
  [[noreturn]] void fail_type(const char* key, std::string_view expected) const;

  const nlohmann::json& object_;
  std::string where_, inside_;
  std::set<std::string> taken_;
};

}  // namespace ffn::inline v0
