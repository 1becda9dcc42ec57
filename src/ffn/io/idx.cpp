#include "ffn/io/idx.h"

#include <array>
#include <cstring>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/gzip.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kMagic = 4;
constexpr int kUnsignedByte = 8;
// Header of the largest rank, so that a limit on values does not cut it.
constexpr std::int64_t kHeaderLimit = kMagic + 4 * kIdxRankLimit;

std::string_view element_name(int type) {
  constexpr std::array<std::pair<int, std::string_view>, 5> kOthers{{{9, "signed bytes"},
                                                                     {11, "16-bit integers"},
                                                                     {12, "32-bit integers"},
                                                                     {13, "32-bit floats"},
                                                                     {14, "64-bit floats"}}};
  for (const auto& [code, name] : kOthers) {
    if (code == type) return name;
  }
  return "an unknown type";
}

std::int64_t big_endian(const std::byte* at) {
  std::int64_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::int64_t>(at[i]);
  return value;
}

// The number of axes.
std::size_t check_magic(std::span<const std::byte> bytes, std::string_view where) {
  const bool zeros = bytes.size() >= kMagic && bytes[0] == std::byte{0} && bytes[1] == std::byte{0};
  if (!zeros) {
    const std::string kind = describe_foreign_file(bytes);
    check(kind.empty(), ErrorKind::io, where, kind, "; expected an IDX file");
  }
  check(bytes.size() >= kMagic, ErrorKind::io, where, "is truncated: ", bytes.size(),
        " bytes, expected at least 4: download it again");
  check(zeros, ErrorKind::io, where, "is no IDX file: it starts with bytes ",
        std::to_integer<int>(bytes[0]), ", ", std::to_integer<int>(bytes[1]), ", expected 0, 0");
  const int type = std::to_integer<int>(bytes[2]), rank = std::to_integer<int>(bytes[3]);
  check(type == kUnsignedByte, ErrorKind::io, where, "holds ", element_name(type), " (type ", type,
        "), expected unsigned bytes (type 8)");
  check(rank >= 1 && rank <= kIdxRankLimit, ErrorKind::io, where, "has ", rank,
        " axes, expected 1 to ", kIdxRankLimit);
  return static_cast<std::size_t>(rank);
}

IdxArray parse_plain(std::span<const std::byte> bytes, std::string_view where,
                     std::int64_t limit_bytes) {
  const std::size_t rank = check_magic(bytes, where);
  const std::size_t header = kMagic + 4 * rank;
  check(bytes.size() >= header, ErrorKind::io, where, "is truncated: ", bytes.size(),
        " bytes, expected a header of ", header, ": download it again");
  IdxArray array;
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t size = big_endian(bytes.data() + kMagic + 4 * axis);
    array.shape.push_back(size);
    const bool overflow = __builtin_mul_overflow(count, size, &count);
    if (fault(502)) count = static_cast<std::int64_t>(static_cast<std::uint32_t>(count));
    check(!overflow && count <= limit_bytes, ErrorKind::io, where, "states more than the ",
          limit_bytes, " elements allowed here (axis ", axis, " is ", size, ")");
  }
  const std::span<const std::byte> data = bytes.subspan(header);
  check(static_cast<std::int64_t>(data.size()) >= count, ErrorKind::io, where,
        "is truncated: ", bytes.size(), " bytes, expected ",
        static_cast<std::int64_t>(header) + count, " from its header: download it again");
  check(static_cast<std::int64_t>(data.size()) == count, ErrorKind::io, where, "has ",
        static_cast<std::int64_t>(data.size()) - count, " bytes too many: ", bytes.size(),
        " bytes, expected ", static_cast<std::int64_t>(header) + count, ": download it again");
  array.values.resize(data.size());
  if (!data.empty()) std::memcpy(array.values.data(), data.data(), data.size());
  return array;
}

}  // namespace

IdxArray parse_idx(std::span<const std::byte> file, std::string_view where,
                   std::int64_t limit_bytes) {
  check(limit_bytes >= 0, ErrorKind::config, where, "a limit of ", limit_bytes,
        " bytes is below 0");
  if (!is_gzip(file)) return parse_plain(file, where, limit_bytes);
  const std::vector<std::byte> content = gunzip(file, limit_bytes + kHeaderLimit, where);
  return parse_plain(content, where, limit_bytes);
}

IdxArray read_idx(const std::string& path, std::int64_t limit_bytes) {
  const MappedFile file(path);
  return parse_idx(file.bytes(), path, limit_bytes);
}

}  // namespace ffn::inline v0
