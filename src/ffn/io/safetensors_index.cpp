// The index as a stream of JSON events: no document is built, so memory stays proportional to what
// is kept, and nesting deeper than the format's two levels ends the parse at once.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/safetensors_shards.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

constexpr std::string_view kIndexDamaged = "; the index is damaged: download or write it again";

class IndexEvents : public json::json_sax_t {
 public:
  explicit IndexEvents(std::string_view where) : where_(where) {}

  std::vector<std::pair<std::string, std::string>> weight_map;  // tensor, shard
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ == Place::top) {
      place_ = key_ == "weight_map" ? Place::weight_map : Place::metadata;
      bool& seen = place_ == Place::metadata ? seen_metadata_ : seen_weight_map_;
      if (std::exchange(seen, true)) reject("key ", in_quotes(key_), " appears twice");
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::top && !seen_weight_map_) reject("lacks the key 'weight_map'");
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool key(std::string& name) override {
    key_ = std::move(name);
    if (place_ == Place::top && key_ != "weight_map" && key_ != "metadata")
      reject("has the unknown key ", in_quotes(key_), ", expected 'metadata' and 'weight_map'");
    return true;
  }

  bool string(std::string& text) override {
    if (place_ != Place::weight_map) return plain("a string", std::move(text));
    weight_map.emplace_back(key_, std::move(text));
    return true;
  }

  bool start_array(std::size_t) override { return unexpected("a list"); }
  bool end_array() override { return true; }
  bool null() override { return plain("null", "null"); }
  bool boolean(bool value) override { return plain("true or false", value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override {
    return plain("a number", std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) override {
    return plain("a number", std::to_string(value));
  }
  bool number_float(double, const std::string& text) override { return plain("a number", text); }
  bool binary(json::binary_t&) override { return unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    // Positions count from 1.
    fail(ErrorKind::io, where_, "is not valid JSON at byte ", position > 0 ? position - 1 : 0,
         kIndexDamaged);
  }

 private:
  enum class Place { outside, top, metadata, weight_map };

  template <class... Parts>
  [[noreturn]] void reject(const Parts&... parts) const {
    fail(ErrorKind::io, where_, parts..., kIndexDamaged);
  }
  bool unexpected(std::string_view found) const {
    const std::string_view expected = place_ == Place::weight_map ? "the name of a file"
                                      : place_ == Place::metadata ? "a plain value"
                                                                  : "an object";
    reject("holds ", found, " where ", expected, " belongs (key ", in_quotes(key_), ")");
  }
  bool plain(std::string_view found, std::string text) {
    if (place_ != Place::metadata) return unexpected(found);
    if (!metadata.emplace(key_, std::move(text)).second)
      reject("metadata key ", in_quotes(key_), " appears twice");
    return true;
  }

  std::string_view where_;
  Place place_ = Place::outside;
  std::string key_;
  bool seen_metadata_ = false, seen_weight_map_ = false;
};

// A name in the index's own folder, of a file that this program would have made.
void check_shard_name(const std::string& shard, const std::string& tensor, std::string_view where) {
  constexpr std::size_t kLongest = 255;  // of a file's name
  constexpr std::string_view kEnding = ".safetensors";
  const bool is_plain = shard.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos &&
                        !shard.starts_with('.');
  check(is_plain || fault(504), ErrorKind::io, where, "tensor ", in_quotes(tensor),
        " is said to be in ", in_quotes(shard),
        ", expected the plain name of a file beside the index, without folders");
  check(shard.ends_with(kEnding) && shard.size() > kEnding.size() && shard.size() <= kLongest,
        ErrorKind::io, where, "tensor ", in_quotes(tensor), " is said to be in ", in_quotes(shard),
        ", expected a name of at most ", kLongest, " bytes that ends in ", kEnding);
}

std::string_view text_of(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '{') {
    const std::string kind = describe_foreign_file(file);
    check(kind.empty(), ErrorKind::io, where, kind, "; expected a safetensors index");
  }
  check(static_cast<std::int64_t>(file.size()) <= kSafetensorsIndexLimit, ErrorKind::io, where,
        "has ", file.size(), " bytes, an index at most ", kSafetensorsIndexLimit);
  // The JSON library takes a zero byte for the end of its input and would not look behind it.
  check(text.find('\0') == std::string_view::npos, ErrorKind::io, where,
        "is not valid JSON: it holds a zero byte", kIndexDamaged);
  return text;
}

}  // namespace

SafetensorsIndex parse_safetensors_index(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text = text_of(file, where);
  IndexEvents events(where);
  json::sax_parse(text.begin(), text.end(), &events);
  auto& map = events.weight_map;
  check(!map.empty(), ErrorKind::io, where, "names no tensor", kIndexDamaged);
  std::ranges::sort(map);
  const auto twice =
      std::ranges::adjacent_find(map, {}, [](const auto& pair) { return pair.first; });
  check(twice == map.end() || fault(505), ErrorKind::io, where, "tensor ",
        twice == map.end() ? "" : in_quotes(twice->first), " appears twice", kIndexDamaged);

  SafetensorsIndex index;
  index.metadata = std::move(events.metadata);
  std::map<std::string_view, std::size_t> shards;
  for (const auto& [tensor, shard] : map) {
    if (!shards.emplace(shard, 0).second) continue;
    check_shard_name(shard, tensor, where);
    check(shards.size() <= kSafetensorsShardLimit, ErrorKind::io, where, "names more than ",
          kSafetensorsShardLimit, " files");
  }
  for (auto& [shard, at] : shards) {
    at = index.shards.size();
    index.shards.emplace_back(shard);
  }
  index.entries.reserve(map.size());
  for (auto& [tensor, shard] : map) index.entries.push_back({std::move(tensor), shards.at(shard)});
  return index;
}

}  // namespace ffn::inline v0
