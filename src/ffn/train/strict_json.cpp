#include "ffn/train/strict_json.h"

#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {

using nlohmann::json;

json parse_json_object(std::string_view text, std::string_view where) {
  check(static_cast<std::int64_t>(text.size()) <= kJsonByteLimit, ErrorKind::io, where, "has ",
        text.size(), " bytes, at most ", kJsonByteLimit);
  std::vector<std::set<std::string>> open;  // keys of the objects that are being read
  std::string repeated;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key) {
      const auto key = value.get<std::string>();
      if (!open.back().insert(key).second) repeated = key;
    }
    return true;
  };
  json parsed;
  try {
    parsed = json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception&) {
    fail(ErrorKind::io, where, "is no valid JSON (", text.size(), " bytes): it is damaged");
  }
  check(repeated.empty(), ErrorKind::io, where, "has the key ", in_quotes(repeated), " twice");
  check(parsed.is_object(), ErrorKind::io, where, "is no JSON object");
  return parsed;
}

json read_json_object(const std::string& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return parse_json_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

ObjectReader::ObjectReader(const json& object, std::string where, std::string inside)
    : object_(object), where_(std::move(where)), inside_(std::move(inside)) {
  check(object_.is_object(), ErrorKind::io, where_, "'", inside_, "' is no object");
}

const json& ObjectReader::take(const char* key) {
  const auto found = object_.find(key);
  check(found != object_.end(), ErrorKind::io, where_, "lacks the key '", inside_, key, "'");
  taken_.insert(key);
  return *found;
}

void ObjectReader::fail_type(const char* key, std::string_view expected) const {
  fail(ErrorKind::io, where_, "'", inside_, key, "' is no ", expected);
}

std::int64_t ObjectReader::integer(const char* key) {
  const json& value = take(key);
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 62;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest)
    fail_type(key, "integer of at least 0");
  return static_cast<std::int64_t>(value.get<std::uint64_t>());
}

std::uint64_t ObjectReader::seed(const char* key) {
  const json& value = take(key);
  if (!value.is_number_unsigned()) fail_type(key, "integer of at least 0");
  return value.get<std::uint64_t>();
}

double ObjectReader::number(const char* key) {
  const json& value = take(key);
  if (!value.is_number()) fail_type(key, "number");
  return value.get<double>();
}

bool ObjectReader::boolean(const char* key) {
  const json& value = take(key);
  if (!value.is_boolean()) fail_type(key, "true or false");
  return value.get<bool>();
}

std::string ObjectReader::text(const char* key) {
  const json& value = take(key);
  if (!value.is_string()) fail_type(key, "text");
  return value.get<std::string>();
}

std::map<std::string, std::string> ObjectReader::texts(const char* key) {
  const json& value = take(key);
  if (!value.is_object()) fail_type(key, "object of texts");
  std::map<std::string, std::string> result;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) fail_type(key, "object of texts");
    result.emplace(name, text.get<std::string>());
  }
  return result;
}

const json& ObjectReader::array(const char* key) {
  const json& value = take(key);
  if (!value.is_array()) fail_type(key, "array");
  return value;
}

bool ObjectReader::is_null(const char* key) {
  const auto found = object_.find(key);
  if (found == object_.end() || !found->is_null()) return false;
  taken_.insert(key);
  return true;
}

ObjectReader ObjectReader::object(const char* key) {
  const json& value = take(key);
  if (!value.is_object()) fail_type(key, "object");
  return {value, where_, inside_ + key + "."};
}

void ObjectReader::schema(std::int64_t expected) {
  const std::int64_t found = integer("schema");
  check(found == expected, ErrorKind::io, where_, "has schema ", found, ", this program reads ",
        expected);
}

void ObjectReader::finish() const {
  for (const auto& [key, value] : object_.items())
    check(taken_.contains(key), ErrorKind::io, where_, "has the unknown key ",
          in_quotes(inside_ + key));
}

}  // namespace ffn::inline v0
