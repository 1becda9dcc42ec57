#include "ffn/io/tokenizer/json_document.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

// Builds the document from events, so that depth and keys are checked before anything is stored.
class DocumentEvents : public json::json_sax_t {
 public:
  explicit DocumentEvents(std::string_view where) : where_(where) {}

  json document;

  bool null() override { return store(nullptr); }
  bool boolean(bool value) override { return store(value); }
  bool number_integer(std::int64_t value) override { return store(value); }
  bool number_unsigned(std::uint64_t value) override { return store(value); }
  bool number_float(double value, const std::string&) override { return store(value); }
  bool string(std::string& value) override { return store(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    const auto [place, fresh] = open_.back()->get_ref<json::object_t&>().try_emplace(name);
    check(fresh, ErrorKind::io, where_, "has the key ", in_quotes(name), " twice");
    place_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const json::exception&) override {
    fail(ErrorKind::io, where_, "is no valid JSON at byte ", byte,
         ": it is damaged; download it again");
  }

 private:
  json* store(json value, int) {
    if (open_.empty()) {
      document = std::move(value);
      return &document;
    }
    if (open_.back()->is_array()) {
      auto& list = open_.back()->get_ref<json::array_t&>();
      list.push_back(std::move(value));
      return &list.back();
    }
    *place_ = std::move(value);
    return place_;
  }
  bool store(json value) { return store(std::move(value), 0) != nullptr; }
  bool open(json value) {
    check(open_.size() < kTokenizerDepthLimit, ErrorKind::io, where_, "nests deeper than ",
          kTokenizerDepthLimit, " levels");
    open_.push_back(store(std::move(value), 0));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view where_;
  std::vector<json*> open_;  // a list grows only when what it holds is closed: pointers stay valid
  json* place_ = nullptr;
};

}  // namespace

json parse_json_document(std::span<const std::byte> file, std::string_view where) {
  check(file.size() <= kTokenizerByteLimit, ErrorKind::io, where, "has ", file.size(),
        " bytes, at most ", kTokenizerByteLimit);
  if (file.empty() || file.front() != std::byte{'{'}) {
    const std::string kind = describe_foreign_file(file);
    check(kind.empty() || file.empty() || kind.starts_with("is JSON"), ErrorKind::io, where, kind,
          "; expected JSON text");
  }
  check(!file.empty(), ErrorKind::io, where, "is empty (0 bytes): download it again");
  const auto* text = reinterpret_cast<const char*>(file.data());
  check(std::memchr(text, 0, file.size()) == nullptr, ErrorKind::io, where,
        "is no valid JSON: it holds a zero byte; download it again");
  DocumentEvents events(where);
  json::sax_parse(text, text + file.size(), &events);
  check(events.document.is_object(), ErrorKind::io, where, "is no JSON object");
  return std::move(events.document);
}

JsonPart::JsonPart(const json& object, std::string_view where, std::string name)
    : object_(object), where_(where), name_(std::move(name)) {
  if (!object_.is_object()) reject("is no object");
}

void JsonPart::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : object_.items())
    if (std::ranges::find(keys, std::string_view(key)) == keys.end())
      reject("has the key ", in_quotes(key), ", which this program does not know");
}

bool JsonPart::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const json& JsonPart::at(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) reject("lacks the key '", key, "'");
  return *found;
}

bool JsonPart::boolean(const char* key) const {
  const json& value = at(key);
  if (!value.is_boolean()) reject("has a '", key, "' that is neither true nor false");
  return value.get<bool>();
}

std::string JsonPart::text(const char* key) const {
  const json& value = at(key);
  if (!value.is_string()) reject("has a '", key, "' that is no text");
  return value.get<std::string>();
}

std::int64_t JsonPart::integer(const char* key) const {
  const json& value = at(key);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMost)
    reject("has a '", key, "' that is no integer from 0 to 2^40");
  return static_cast<std::int64_t>(value.get<std::uint64_t>());
}

const json& JsonPart::array(const char* key) const {
  const json& value = at(key);
  if (!value.is_array()) reject("has a '", key, "' that is no list");
  return value;
}

JsonPart JsonPart::part(const char* key) const { return {at(key), where_, name_ + "." + key}; }

std::vector<JsonPart> JsonPart::parts(const char* key) const {
  std::vector<JsonPart> result;
  for (const json& value : array(key))
    result.emplace_back(value, where_,
                        name_ + "." + key + "[" + std::to_string(result.size()) + "]");
  return result;
}

}  // namespace ffn::inline v0
