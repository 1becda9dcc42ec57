#include "ffn/io/checksum.h"

#include <zlib.h>

namespace ffn::inline v0 {

std::uint32_t crc32_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace ffn::inline v0
