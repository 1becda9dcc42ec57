// Checksums against damage, not against malice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ffn::inline v0 {

// CRC-32 as in gzip and zip (polynomial 0xEDB88320, reflected).
std::uint32_t crc32_of(std::span<const std::byte> bytes);

}  // namespace ffn::inline v0
