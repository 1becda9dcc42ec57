// CIFAR-10 and CIFAR-100 binary files: records without a header.
//
//   CIFAR-10    1 byte label (0…9), then 3,072 pixel bytes
//   CIFAR-100   1 byte coarse label (0…19), 1 byte fine label (0…99), then 3,072 pixel bytes
//   pixels      1,024 red, 1,024 green, 1,024 blue; each plane row by row, [3, 32, 32]
// Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

enum class CifarKind { cifar10, cifar100 };

inline constexpr std::int64_t kCifarSide = 32;
inline constexpr std::int64_t kCifarPixels = 3 * kCifarSide * kCifarSide;
inline constexpr std::int64_t kCifarByteLimit = std::int64_t{1} << 30;

// 3073 and 3074; 10 and 100.
std::int64_t cifar_record_bytes(CifarKind kind);
std::int64_t cifar_classes(CifarKind kind);

struct CifarArray {
  std::int64_t count = 0;
  std::vector<std::uint8_t> labels;         // [count], the fine ones of CIFAR-100
  std::vector<std::uint8_t> coarse_labels;  // [count] for CIFAR-100, else empty
  std::vector<std::uint8_t> pixels;         // [count, 3, 32, 32]
};

// Throws Error{io} naming `where`, what was found, expected and the cure: no record, a size that is
// no multiple of the record's, more than `limit_bytes`, a label out of range with its record and
// offset; foreign files (HTML page, git-LFS pointer, pickle, …) by name. A file cut at the end of a
// record is a shorter file: whoever knows the count compares it. Memory: the file's size.
CifarArray parse_cifar(std::span<const std::byte> file, CifarKind kind, std::string_view where,
                       std::int64_t limit_bytes = kCifarByteLimit);

// Of the file at `path`. Errors: also those of MappedFile.
CifarArray read_cifar(const std::string& path, CifarKind kind,
                      std::int64_t limit_bytes = kCifarByteLimit);

}  // namespace ffn::inline v0
