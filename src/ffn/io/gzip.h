// gzip streams in memory, with a limit on what they may become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

bool is_gzip(std::span<const std::byte> bytes);

// The content of one gzip stream that fills `bytes`. Memory grows with what was really unpacked, at
// most twice that, never beyond `limit_bytes`. Throws Error{io} naming `where`: damaged (checksum,
// format), truncated, bytes after its end, or more than `limit_bytes` of content.
std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::int64_t limit_bytes,
                              std::string_view where);

}  // namespace ffn::inline v0
