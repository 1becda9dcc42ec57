// Checksums: CRC-32 against damage, SHA-256 to know a text again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ffn::inline v0 {

// CRC-32 as in gzip and zip (polynomial 0xEDB88320, reflected).
std::uint32_t crc32_of(std::span<const std::byte> bytes);

// SHA-256 (FIPS 180-4) as 64 hexadecimal digits.
std::string sha256_of(std::span<const std::byte> bytes);

}  // namespace ffn::inline v0
