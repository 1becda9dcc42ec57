// The header as a stream of JSON events: no document is built, so memory stays proportional to what
// is kept, and nesting deeper than the format's three levels ends the parse at once.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/safetensors.h"
#include "ffn/io/safetensors_types.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little endian");

constexpr std::size_t kPrefix = 8;
constexpr std::string_view kDamaged = "; the file is damaged: download or write it again";

// One tensor as the header states it, not yet compared with the file.
struct Stated {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0, end = 0;  // from the start of the data
};

class HeaderEvents : public json::json_sax_t {
 public:
  explicit HeaderEvents(std::string_view where) : where_(where) {}

  std::vector<Stated> tensors;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::outside: place_ = Place::top; return true;
      case Place::top:
        if (key_ == "__metadata__") {
          if (seen_metadata_) reject("key '__metadata__' appears twice");
          seen_metadata_ = true;
          place_ = Place::metadata;
        } else {
          tensors.push_back({key_, {}, {}, 0, 0});
          seen_fields_ = 0;
          place_ = Place::tensor;
        }
        return true;
      default: return unexpected("an object");
    }
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      if (seen_fields_ != 7)
        reject("tensor ", in_quotes(tensors.back().name), " lacks ", missing_field());
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool key(std::string& name) override {
    key_ = std::move(name);
    if (place_ == Place::tensor) {
      field_ = key_ == "dtype" ? 1 : key_ == "shape" ? 2 : key_ == "data_offsets" ? 4 : 0;
      if (field_ == 0)
        reject("tensor ", in_quotes(tensors.back().name), " has the unknown key ", in_quotes(key_));
      if ((seen_fields_ & field_) != 0)
        reject("tensor ", in_quotes(tensors.back().name), " has key ", in_quotes(key_), " twice");
      seen_fields_ |= field_;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == 1) return unexpected("a list");
    place_ = Place::list;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    if (field_ == 4 && offsets_ != 2)
      reject("tensor ", in_quotes(tensors.back().name), " has ", offsets_,
             " data_offsets, expected 2");
    place_ = Place::tensor;
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      if (!metadata.emplace(key_, std::move(text)).second)
        reject("metadata key ", in_quotes(key_), " appears twice");
      return true;
    }
    if (place_ != Place::tensor || field_ != 1) return unexpected("a string");
    tensors.back().dtype = std::move(text);
    return true;
  }

  bool number_unsigned(std::uint64_t number) override {
    if (place_ != Place::list) return unexpected("a number");
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      reject("tensor ", in_quotes(tensors.back().name), " has the number ", number,
             ", too large for any file");
    const auto value = static_cast<std::int64_t>(number);
    Stated& tensor = tensors.back();
    if (field_ == 2) {
      if (tensor.shape.size() == kSafetensorsRankLimit)
        reject("tensor ", in_quotes(tensor.name), " has more than ", kSafetensorsRankLimit,
               " axes");
      tensor.shape.push_back(value);
    } else {
      if (offsets_ == 2) reject("tensor ", in_quotes(tensor.name), " has more than 2 data_offsets");
      (offsets_ == 0 ? tensor.begin : tensor.end) = value;
      ++offsets_;
    }
    return true;
  }

  bool number_integer(std::int64_t) override { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) override {
    return unexpected("a number that is no integer below 2^64");
  }
  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool binary(json::binary_t&) override { return unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    // Positions count from 1 and from the start of the header.
    fail(ErrorKind::io, where_, "the header is not valid JSON at byte ",
         kPrefix + (position > 0 ? position - 1 : 0), " of the file", kDamaged);
  }

 private:
  enum class Place { outside, top, metadata, tensor, list };

  template <class... Parts>
  [[noreturn]] void reject(const Parts&... parts) const {
    fail(ErrorKind::io, where_, parts..., kDamaged);
  }
  bool unexpected(std::string_view found) const {
    const bool in_tensor = place_ == Place::tensor || place_ == Place::list;
    fail(ErrorKind::io, where_, "the header holds ", found, " where ", expected(), " belongs (",
         in_tensor ? "tensor " + in_quotes(tensors.back().name) + ", " : "", "key ",
         in_quotes(key_), ")", kDamaged);
  }
  std::string_view expected() const {
    switch (place_) {
      case Place::outside:
      case Place::top: return "an object";
      case Place::metadata: return "a string";
      case Place::tensor: return field_ == 1 ? "a string" : "a list";
      case Place::list: break;
    }
    return "an integer from 0 on";
  }
  std::string_view missing_field() const {
    return (seen_fields_ & 1) == 0 ? "dtype" : (seen_fields_ & 2) == 0 ? "shape" : "data_offsets";
  }

  std::string_view where_;
  Place place_ = Place::outside;
  std::string key_;
  bool seen_metadata_ = false;
  int field_ = 0;        // 1 dtype, 2 shape, 4 data_offsets
  int seen_fields_ = 0;  // their sum
  int offsets_ = 0;
};

// How many bytes the header has; the first eight bytes and the '{' are checked.
std::size_t header_bytes(std::span<const std::byte> file, std::string_view where) {
  std::uint64_t size = 0;
  if (file.size() >= kPrefix) std::memcpy(&size, file.data(), kPrefix);
  const bool plausible = file.size() > kPrefix && size >= 2 &&
                         size <= static_cast<std::uint64_t>(kSafetensorsHeaderLimit) &&
                         file[kPrefix] == std::byte{'{'};
  if (!plausible) {
    const std::string kind = describe_foreign_file(file);
    check(kind.empty(), ErrorKind::io, where, kind, "; expected a safetensors file");
  }
  check(file.size() > kPrefix, ErrorKind::io, where, "is truncated: ", file.size(),
        " bytes, expected a header size of 8 bytes and a header", kDamaged);
  check(size >= 2 && size <= static_cast<std::uint64_t>(kSafetensorsHeaderLimit), ErrorKind::io,
        where, "is no safetensors file: its first 8 bytes state a header of ", size,
        " bytes, expected 2 to ", kSafetensorsHeaderLimit);
  check(file[kPrefix] == std::byte{'{'}, ErrorKind::io, where, "is no safetensors file: byte 8 is ",
        std::to_integer<int>(file[kPrefix]), ", expected 123 ('{', the start of its header)");
  check(size <= file.size() - kPrefix, ErrorKind::io, where, "is truncated: ", file.size(),
        " bytes, but its header alone ends at byte ", kPrefix + size, kDamaged);
  return static_cast<std::size_t>(size);
}

const SafetensorsType& type_of(const Stated& tensor, std::string_view where) {
  for (const SafetensorsType& type : kSafetensorsTypes) {
    if (type.name == tensor.dtype) return type;
  }
  std::string known;
  for (const SafetensorsType& type : kSafetensorsTypes) known.append(" ").append(type.name);
  fail(ErrorKind::io, where, "tensor ", in_quotes(tensor.name), " has the unknown dtype ",
       in_quotes(tensor.dtype), "; known are", known);
}

// Elements times bytes per element equals end − begin, without overflow.
void check_size(const Stated& tensor, const SafetensorsType& type, std::string_view where) {
  check(tensor.begin <= tensor.end, ErrorKind::io, where, "tensor ", in_quotes(tensor.name),
        " ends at byte ", tensor.end, " of the data, before it begins at ", tensor.begin, kDamaged);
  std::int64_t bytes = type.element_bytes;
  bool overflow = false;
  // A zero axis makes the product 0, wherever it stands.
  const bool empty = std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
  if (empty) bytes = 0;
  for (const std::int64_t axis : tensor.shape) {
    if (!empty) overflow = overflow || __builtin_mul_overflow(bytes, axis, &bytes);
  }
  check(!overflow, ErrorKind::io, where, "the shape of tensor ", in_quotes(tensor.name),
        " counts more than 2^63 bytes", kDamaged);
  check(bytes == tensor.end - tensor.begin, ErrorKind::io, where, "tensor ", in_quotes(tensor.name),
        " takes ", tensor.end - tensor.begin, " bytes, but its shape and dtype need ", bytes,
        kDamaged);
}

// The tensors, sorted by place, tile the data exactly.
void check_tiling(const std::vector<Stated>& tensors, std::size_t data_begin, std::size_t file_size,
                  std::string_view where) {
  const auto data_size = static_cast<std::int64_t>(file_size - data_begin);
  std::int64_t last = 0;
  for (const Stated& tensor : tensors) last = std::max(last, tensor.end);
  check(last <= data_size, ErrorKind::io, where, "is truncated: ", file_size, " bytes, expected ",
        static_cast<std::uint64_t>(last) + data_begin,
        " from its header: download or copy it again");
  check(last == data_size, ErrorKind::io, where, "has ", data_size - last,
        " bytes after its last tensor: ", file_size, " bytes, expected ",
        static_cast<std::uint64_t>(last) + data_begin, kDamaged);
  std::int64_t position = 0;
  for (const Stated& tensor : tensors) {
    check(tensor.begin <= position, ErrorKind::io, where, "bytes ", position, " to ", tensor.begin,
          " of the data, before tensor ", in_quotes(tensor.name), ", belong to no tensor",
          kDamaged);
    check(tensor.begin == position || fault(500), ErrorKind::io, where, "tensor ",
          in_quotes(tensor.name), " begins at byte ", tensor.begin,
          " of the data, inside the tensor before it, which ends at ", position, kDamaged);
    position = std::max(position, tensor.end);
  }
}

void check_unique(const std::vector<Stated>& tensors, std::string_view where) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const Stated& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  check(twice == names.end() || fault(501), ErrorKind::io, where, "tensor ",
        twice == names.end() ? "" : in_quotes(*twice), " appears twice", kDamaged);
}

}  // namespace

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view where) {
  const std::size_t size = header_bytes(file, where);
  const auto* text = reinterpret_cast<const char*>(file.data()) + kPrefix;
  // The JSON library takes a zero byte for the end of its input and would not look behind it.
  const void* zero = std::memchr(text, 0, size);
  check(zero == nullptr, ErrorKind::io, where, "the header is not valid JSON: it holds a zero byte",
        kDamaged);
  HeaderEvents events(where);
  json::sax_parse(text, text + size, &events);
  std::sort(events.tensors.begin(), events.tensors.end(), [](const Stated& a, const Stated& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_unique(events.tensors, where);
  std::vector<const SafetensorsType*> types;
  types.reserve(events.tensors.size());
  for (const Stated& tensor : events.tensors) {
    types.push_back(&type_of(tensor, where));
    check_size(tensor, *types.back(), where);
  }
  const std::size_t data_begin = kPrefix + size;
  check_tiling(events.tensors, data_begin, file.size(), where);

  SafetensorsHeader header;
  header.metadata = std::move(events.metadata);
  header.tensors.reserve(events.tensors.size());
  for (std::size_t i = 0; i < events.tensors.size(); ++i) {
    Stated& tensor = events.tensors[i];
    header.tensors.push_back(
        {std::move(tensor.name), std::move(tensor.dtype), types[i]->dtype, std::move(tensor.shape),
         tensor.begin + static_cast<std::int64_t>(data_begin), tensor.end - tensor.begin, 0});
  }
  return header;
}

}  // namespace ffn::inline v0
