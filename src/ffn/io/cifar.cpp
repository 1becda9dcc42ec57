#include "ffn/io/cifar.h"

#include <cstring>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {
namespace {

constexpr int kCoarseClasses = 20;

std::string_view kind_name(CifarKind kind) {
  return kind == CifarKind::cifar10 ? "CIFAR-10" : "CIFAR-100";
}

CifarKind other(CifarKind kind) {
  return kind == CifarKind::cifar10 ? CifarKind::cifar100 : CifarKind::cifar10;
}

// What is wrong with a file that is no multiple of a record.
[[noreturn]] void fail_size(std::span<const std::byte> file, CifarKind kind,
                            std::string_view where) {
  const std::int64_t record = cifar_record_bytes(kind);
  const auto bytes = static_cast<std::int64_t>(file.size());
  if (bytes % cifar_record_bytes(other(kind)) == 0)
    fail(ErrorKind::io, where, "is no ", kind_name(kind), " file: its ", bytes,
         " bytes are records of ", cifar_record_bytes(other(kind)), " bytes, as ",
         kind_name(other(kind)), " has, expected records of ", record);
  fail(ErrorKind::io, where, "is truncated: ", bytes, " bytes, expected a multiple of ", record,
       " (", kind_name(kind), " records; the last one has ", bytes % record,
       " bytes): unpack it again");
}

void check_label(int label, std::int64_t classes, std::int64_t record, std::int64_t offset,
                 std::string_view where) {
  check(label < classes, ErrorKind::io, where, "record ", record, " has label ", label, " (byte ",
        offset, "), expected 0 to ", classes - 1);
}

}  // namespace

std::int64_t cifar_record_bytes(CifarKind kind) {
  return kCifarPixels + (kind == CifarKind::cifar10 ? 1 : 2);
}

std::int64_t cifar_classes(CifarKind kind) { return kind == CifarKind::cifar10 ? 10 : 100; }

CifarArray parse_cifar(std::span<const std::byte> file, CifarKind kind, std::string_view where,
                       std::int64_t limit_bytes) {
  const std::int64_t record = cifar_record_bytes(kind), labels = record - kCifarPixels;
  const auto bytes = static_cast<std::int64_t>(file.size());
  // A record starts with a label below 20; of the foreign kinds only text that starts with white
  // space can look like one, and then its size or its next labels must not fit.
  const bool starts_well = bytes > 0 && std::to_integer<int>(file[0]) < kCoarseClasses;
  if (!starts_well || bytes % record != 0) {
    const std::string foreign = describe_foreign_file(file);
    check(foreign.empty(), ErrorKind::io, where, foreign, "; expected a ", kind_name(kind),
          " binary file");
  }
  if (bytes % record != 0) fail_size(file, kind, where);
  check(bytes <= limit_bytes, ErrorKind::io, where, "has ", bytes, " bytes, more than the ",
        limit_bytes, " allowed here");
  CifarArray array;
  array.count = bytes / record;
  array.labels.resize(static_cast<std::size_t>(array.count));
  if (labels == 2) array.coarse_labels.resize(static_cast<std::size_t>(array.count));
  array.pixels.resize(static_cast<std::size_t>(array.count * kCifarPixels));
  for (std::int64_t i = 0; i < array.count; ++i) {
    const std::byte* from = file.data() + i * record;
    const int label = std::to_integer<int>(from[labels - 1]);
    const bool checked = !fault(503) || i + 1 < array.count;
    if (labels == 2) {
      const int coarse = std::to_integer<int>(from[0]);
      check_label(coarse, kCoarseClasses, i, i * record, where);
      array.coarse_labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(coarse);
    }
    if (checked) check_label(label, cifar_classes(kind), i, i * record + labels - 1, where);
    array.labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(label);
    std::memcpy(array.pixels.data() + i * kCifarPixels, from + labels,
                static_cast<std::size_t>(kCifarPixels));
  }
  return array;
}

CifarArray read_cifar(const std::string& path, CifarKind kind, std::int64_t limit_bytes) {
  const MappedFile file(path);
  return parse_cifar(file.bytes(), kind, path, limit_bytes);
}

}  // namespace ffn::inline v0
