#include <cstring>
#include <set>
#include <string>

#include "ffn/io/safetensors.h"
#include "target.h"

namespace {

// What a caller relies on without looking: disjoint ranges that tile the end of the file.
void check_promises(std::span<const std::byte> file, const ffn::SafetensorsHeader& header) {
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), sizeof header_size);
  auto position = static_cast<std::int64_t>(8 + header_size);
  std::set<std::string> names;
  for (const ffn::StoredTensor& tensor : header.tensors) {
    ffn::fuzz::require(tensor.offset_bytes == position && tensor.bytes >= 0,
                       "tensors tile the data");
    ffn::fuzz::require(names.insert(tensor.name).second, "names are unique");
    ffn::fuzz::require(tensor.shape.size() <= ffn::kSafetensorsRankLimit, "the rank is bounded");
    std::int64_t count = 1;
    for (const std::int64_t axis : tensor.shape) {
      ffn::fuzz::require(axis >= 0, "no axis is negative");
      if (tensor.bytes > 0) count *= axis;
    }
    if (tensor.dtype && tensor.bytes > 0)
      ffn::fuzz::require(ffn::dtype_bytes(*tensor.dtype, count) == tensor.bytes, "size = shape");
    position += tensor.bytes;
  }
  ffn::fuzz::require(position == static_cast<std::int64_t>(file.size()),
                     "the data ends with the file");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ffn::fuzz::run(data, size, [](std::span<const std::byte> file) {
    check_promises(file, ffn::parse_safetensors(file, "fuzz"));
  });
}
