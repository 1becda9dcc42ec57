#include "ffn/io/idx.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Small, so that a decompression bomb that passes it shows as memory.
  constexpr std::int64_t kLimit = 1 << 20;
  return ffn::fuzz::run(data, size, [](std::span<const std::byte> file) {
    const ffn::IdxArray array = ffn::parse_idx(file, "fuzz", kLimit);
    std::int64_t count = 1;
    for (const std::int64_t axis : array.shape) count *= axis;
    ffn::fuzz::require(count == static_cast<std::int64_t>(array.values.size()), "size = shape");
    ffn::fuzz::require(count <= kLimit, "the limit holds");
  });
}
