// Typed metadata of a GGUF file: looked up by key, read with the range that the reader expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tensor_source.h"

namespace ffn::inline v0 {

// With the numbers of the format.
enum class GgufType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  flag = 7,
  text = 8,
  list = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};

// "u8", …, "bool", "string", "array", as the format's description calls them.
std::string_view to_string(GgufType type);

// One key and where its value lies in the file.
struct GgufEntry {
  std::string_view key;
  GgufType type = GgufType::u8;  // of a list: of its elements
  bool is_list = false;
  std::uint64_t count = 1;       // elements
  std::size_t offset_bytes = 0;  // of the value or the first element
};

// Every getter throws Error{io} that names the file, the key, what stands there and what was
// expected: when the key is missing (unless a value to take then is given as `otherwise`), has
// another type or is out of range. Whole numbers may have any of the integer types; numbers may be
// whole ones too. Lists cost at most eight times their bytes in the file.
class GgufMetadata {
 public:
  // Entries of parse_gguf over the bytes of `file`, which must outlive this.
  GgufMetadata(std::span<const std::byte> file, std::string where, std::vector<GgufEntry> entries);

  const std::vector<GgufEntry>& entries() const { return entries_; }
  const GgufEntry* find(std::string_view key) const;  // nullptr: none
  bool has(std::string_view key) const { return find(key) != nullptr; }

  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most,
                       std::optional<std::int64_t> otherwise = {}) const;
  // Finite.
  double number(std::string_view key, double least, double most,
                std::optional<double> otherwise = {}) const;
  bool flag(std::string_view key, std::optional<bool> otherwise = {}) const;
  // UTF-8, as long as the file is mapped.
  std::string_view text(std::string_view key, std::optional<std::string_view> otherwise = {}) const;

  std::vector<std::int64_t> integers(std::string_view key, std::int64_t least,
                                     std::int64_t most) const;
  std::vector<double> numbers(std::string_view key, double least, double most) const;
  // Each UTF-8.
  std::vector<std::string_view> texts(std::string_view key) const;

  // For people: long lists and texts are cut short.
  std::vector<MetadataText> texts_to_show() const;

 private:
  const GgufEntry& at(std::string_view key, std::string_view expected) const;
  [[noreturn]] void refuse(const GgufEntry& entry, std::string_view found,
                           std::string_view expected) const;
  std::string value_text(const GgufEntry& entry, std::uint64_t index) const;
  std::string what_stands_there(const GgufEntry& entry) const;
  std::optional<std::int64_t> whole_at(const GgufEntry& entry, std::uint64_t index) const;
  std::optional<double> number_at(const GgufEntry& entry, std::uint64_t index) const;
  std::vector<std::string_view> first_texts(const GgufEntry& entry, std::uint64_t most) const;

  std::span<const std::byte> file_;
  std::string where_;
  std::vector<GgufEntry> entries_;
  std::vector<std::size_t> by_key_;
};

}  // namespace ffn::inline v0
