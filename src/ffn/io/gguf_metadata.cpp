#include "ffn/io/gguf_metadata.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <sstream>
#include <type_traits>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/gguf_cursor.h"

namespace ffn::inline v0 {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 13> kNames = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};

template <class T>
T load(std::span<const std::byte> file, const GgufEntry& entry, std::uint64_t index) {
  T value;
  std::memcpy(&value, file.data() + entry.offset_bytes + index * sizeof value, sizeof value);
  return value;
}

// visit(the element as its own type); for types that are numbers.
template <class Visit>
auto with_number(std::span<const std::byte> file, const GgufEntry& entry, std::uint64_t index,
                 const Visit& visit) {
  switch (entry.type) {
    case GgufType::u8: return visit(load<std::uint8_t>(file, entry, index));
    case GgufType::i8: return visit(load<std::int8_t>(file, entry, index));
    case GgufType::u16: return visit(load<std::uint16_t>(file, entry, index));
    case GgufType::i16: return visit(load<std::int16_t>(file, entry, index));
    case GgufType::u32: return visit(load<std::uint32_t>(file, entry, index));
    case GgufType::i32: return visit(load<std::int32_t>(file, entry, index));
    case GgufType::i64: return visit(load<std::int64_t>(file, entry, index));
    case GgufType::f32: return visit(load<float>(file, entry, index));
    case GgufType::f64: return visit(load<double>(file, entry, index));
    default: return visit(load<std::uint64_t>(file, entry, index));
  }
}

bool is_number(GgufType type) {
  return type != GgufType::flag && type != GgufType::text && type != GgufType::list;
}

// The shortest digits that read back as the same number.
template <class T>
std::string digits(T value) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string();
}

template <class... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

std::string range_text(std::string_view what, double least, double most) {
  return joined(what, " from ", digits(least), " to ", digits(most));
}

std::string range_text(std::string_view what, std::int64_t least, std::int64_t most) {
  return joined(what, " from ", least, " to ", most);
}

}  // namespace

std::string_view to_string(GgufType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : "unknown";
}

GgufMetadata::GgufMetadata(std::span<const std::byte> file, std::string where,
                           std::vector<GgufEntry> entries)
    : file_(file),
      where_(std::move(where)),
      entries_(std::move(entries)),
      by_key_(entries_.size()) {
  std::iota(by_key_.begin(), by_key_.end(), std::size_t{0});
  std::ranges::sort(by_key_, {}, [this](std::size_t i) { return entries_[i].key; });
}

const GgufEntry* GgufMetadata::find(std::string_view key) const {
  const auto key_of = [this](std::size_t i) { return entries_[i].key; };
  const auto found = std::ranges::lower_bound(by_key_, key, {}, key_of);
  return found != by_key_.end() && key_of(*found) == key ? &entries_[*found] : nullptr;
}

const GgufEntry& GgufMetadata::at(std::string_view key, std::string_view expected) const {
  const GgufEntry* entry = find(key);
  check(entry != nullptr, ErrorKind::io, where_, "lacks the metadata key ", in_quotes(key),
        ", expected ", expected);
  return *entry;
}

void GgufMetadata::refuse(const GgufEntry& entry, std::string_view found,
                          std::string_view expected) const {
  fail(ErrorKind::io, where_, "metadata key ", in_quotes(entry.key), " is ", found, ", expected ",
       expected);
}

std::string GgufMetadata::value_text(const GgufEntry& entry, std::uint64_t index) const {
  if (entry.type == GgufType::flag)
    return load<std::uint8_t>(file_, entry, index) != 0 ? "true" : "false";
  return with_number(file_, entry, index, [](auto value) { return digits(value); });
}

// "the u32 7", "an array of 3 strings".
std::string GgufMetadata::what_stands_there(const GgufEntry& entry) const {
  if (entry.is_list) return joined("an array of ", entry.count, " ", to_string(entry.type), "s");
  if (entry.type != GgufType::text)
    return joined("the ", to_string(entry.type), " ", value_text(entry, 0));
  return joined("the string ", in_quotes(shown_text(first_texts(entry, 1).front(), 60)));
}

std::optional<std::int64_t> GgufMetadata::whole_at(const GgufEntry& entry,
                                                   std::uint64_t index) const {
  if (!is_number(entry.type)) return {};
  return with_number(file_, entry, index, [](auto value) -> std::optional<std::int64_t> {
    if constexpr (std::is_floating_point_v<decltype(value)>) return {};
    if constexpr (std::is_same_v<decltype(value), std::uint64_t>)
      if (value > static_cast<std::uint64_t>(INT64_MAX)) return {};
    return static_cast<std::int64_t>(value);
  });
}

std::optional<double> GgufMetadata::number_at(const GgufEntry& entry, std::uint64_t index) const {
  if (!is_number(entry.type)) return {};
  return with_number(file_, entry, index, [](auto value) -> std::optional<double> {
    return static_cast<double>(value);
  });
}

std::vector<std::string_view> GgufMetadata::first_texts(const GgufEntry& entry,
                                                        std::uint64_t most) const {
  std::vector<std::string_view> texts;
  const std::uint64_t count = std::min(entry.count, most);
  texts.reserve(static_cast<std::size_t>(count));
  GgufCursor at(file_, where_, entry.offset_bytes);
  for (std::uint64_t i = 0; i < count; ++i) texts.push_back(at.text("a text of metadata"));
  return texts;
}

std::int64_t GgufMetadata::integer(std::string_view key, std::int64_t least, std::int64_t most,
                                   std::optional<std::int64_t> otherwise) const {
  if (otherwise && !has(key)) return *otherwise;
  const std::string expected = range_text("a whole number", least, most);
  const GgufEntry& entry = at(key, expected);
  const auto value = entry.is_list ? std::nullopt : whole_at(entry, 0);
  if (!value || *value < least || *value > most) refuse(entry, what_stands_there(entry), expected);
  return *value;
}

double GgufMetadata::number(std::string_view key, double least, double most,
                            std::optional<double> otherwise) const {
  if (otherwise && !has(key)) return *otherwise;
  const std::string expected = range_text("a number", least, most);
  const GgufEntry& entry = at(key, expected);
  const auto value = entry.is_list ? std::nullopt : number_at(entry, 0);
  if (!value || !std::isfinite(*value) || *value < least || *value > most)
    refuse(entry, what_stands_there(entry), expected);
  return *value;
}

bool GgufMetadata::flag(std::string_view key, std::optional<bool> otherwise) const {
  if (otherwise && !has(key)) return *otherwise;
  const GgufEntry& entry = at(key, "a bool");
  if (entry.is_list || entry.type != GgufType::flag)
    refuse(entry, what_stands_there(entry), "a bool");
  return load<std::uint8_t>(file_, entry, 0) != 0;
}

std::string_view GgufMetadata::text(std::string_view key,
                                    std::optional<std::string_view> otherwise) const {
  if (otherwise && !has(key)) return *otherwise;
  constexpr std::string_view kExpected = "a string of UTF-8";
  const GgufEntry& entry = at(key, kExpected);
  if (entry.is_list || entry.type != GgufType::text)
    refuse(entry, what_stands_there(entry), kExpected);
  const std::string_view value = first_texts(entry, 1).front();
  if (!is_utf8(value)) refuse(entry, what_stands_there(entry), kExpected);
  return value;
}

std::vector<std::int64_t> GgufMetadata::integers(std::string_view key, std::int64_t least,
                                                 std::int64_t most) const {
  const std::string expected = range_text("an array of whole numbers", least, most);
  const GgufEntry& entry = at(key, expected);
  const bool whole =
      is_number(entry.type) && entry.type != GgufType::f32 && entry.type != GgufType::f64;
  if (!entry.is_list || !whole) refuse(entry, what_stands_there(entry), expected);
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(entry.count));
  for (std::uint64_t i = 0; i < entry.count; ++i) {
    const auto value = whole_at(entry, i);
    if (!value || *value < least || *value > most)
      refuse(entry, joined("an array whose element ", i, " is ", value_text(entry, i)), expected);
    values.push_back(*value);
  }
  return values;
}

std::vector<double> GgufMetadata::numbers(std::string_view key, double least, double most) const {
  const std::string expected = range_text("an array of numbers", least, most);
  const GgufEntry& entry = at(key, expected);
  if (!entry.is_list || !is_number(entry.type)) refuse(entry, what_stands_there(entry), expected);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(entry.count));
  for (std::uint64_t i = 0; i < entry.count; ++i) {
    const double value = *number_at(entry, i);
    if (!std::isfinite(value) || value < least || value > most)
      refuse(entry, joined("an array whose element ", i, " is ", value_text(entry, i)), expected);
    values.push_back(value);
  }
  return values;
}

std::vector<std::string_view> GgufMetadata::texts(std::string_view key) const {
  constexpr std::string_view kExpected = "an array of strings of UTF-8";
  const GgufEntry& entry = at(key, kExpected);
  if (!entry.is_list || entry.type != GgufType::text)
    refuse(entry, what_stands_there(entry), kExpected);
  std::vector<std::string_view> values = first_texts(entry, entry.count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_utf8(values[i]))
      refuse(entry,
             joined("an array whose element ", i, " is ", in_quotes(shown_text(values[i], 60))),
             kExpected);
  }
  return values;
}

std::vector<MetadataText> GgufMetadata::texts_to_show() const {
  constexpr std::size_t kKey = 80, kText = 200, kElement = 20;
  constexpr std::uint64_t kElements = 6;
  std::vector<MetadataText> shown;
  for (const GgufEntry& entry : entries_) {
    MetadataText& row = shown.emplace_back();
    row.key = shown_text(entry.key, kKey);
    row.type = std::string(to_string(entry.type)) + (entry.is_list ? "[]" : "");
    const std::uint64_t count = std::min(entry.count, kElements);
    const std::size_t width = entry.is_list ? kElement : kText;
    std::vector<std::string> parts;
    if (entry.type == GgufType::text) {
      for (const std::string_view text : first_texts(entry, count))
        parts.push_back(shown_text(text, width));
    } else {
      for (std::uint64_t i = 0; i < count; ++i) parts.push_back(value_text(entry, i));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) row.value += (i == 0 ? "" : ", ") + parts[i];
    if (entry.count > count) row.value += joined(", … (", entry.count, " in all)");
    if (entry.is_list) row.value = "[" + row.value + "]";
  }
  return shown;
}

}  // namespace ffn::inline v0
