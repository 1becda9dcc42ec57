// IDX files, plain or in gzip: the arrays of MNIST and Fashion-MNIST (images [count, 28, 28],
// labels [count]).
//
//   bytes 0…3    0, 0, element type (8: unsigned byte), number of axes
//   then         one size per axis, 32 bits, big endian
//   then         the elements, last axis fastest, and nothing after them
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

inline constexpr std::int64_t kIdxByteLimit = std::int64_t{1} << 30;
inline constexpr int kIdxRankLimit = 4;

struct IdxArray {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> values;
};

// Throws Error{io} naming `where`, what was found, expected and the cure: another magic number or
// element type, no axis or more than kIdxRankLimit, sizes beyond `limit_bytes`, bytes missing or
// left over, a damaged gzip stream; foreign files (HTML page, git-LFS pointer, …) by name. Memory:
// at most three times the smaller of `limit_bytes` and the bytes that are really there (unpacked).
IdxArray parse_idx(std::span<const std::byte> file, std::string_view where,
                   std::int64_t limit_bytes = kIdxByteLimit);

// Of the file at `path`. Errors: also those of MappedFile.
IdxArray read_idx(const std::string& path, std::int64_t limit_bytes = kIdxByteLimit);

}  // namespace ffn::inline v0
