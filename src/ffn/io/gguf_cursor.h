// Walks through the bytes of a GGUF file; every step is compared with the bytes that are left. For
// sources of this folder only.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

static_assert(std::endian::native == std::endian::little, "the format is little endian");

class GgufCursor {
 public:
  GgufCursor(std::span<const std::byte> file, std::string_view where, std::size_t position = 0)
      : file_(file), where_(where), position_(position) {}

  std::size_t position() const { return position_; }
  std::uint64_t left() const { return file_.size() - position_; }

  // `count` things of at least `each` bytes, which `what` names, can follow. Asked before anything
  // is made room for.
  void require(std::uint64_t count, std::uint64_t each, std::string_view what) const {
    check(count <= left() / each, ErrorKind::io, where_, "is truncated or damaged: ", what,
          " at byte ", position_, " should be ", count, " of at least ", each,
          " bytes, but the file of ", file_.size(), " bytes has ", left(),
          " left: download or copy it again");
  }
  void skip(std::uint64_t bytes, std::string_view what) {
    require(bytes, 1, what);
    position_ += static_cast<std::size_t>(bytes);
  }
  template <class T>
  T number(std::string_view what) {
    T value;
    const std::byte* from = file_.data() + position_;
    skip(sizeof value, what);
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  std::string_view text(std::string_view what) {
    const auto bytes = number<std::uint64_t>(what);
    const auto* from = reinterpret_cast<const char*>(file_.data()) + position_;
    skip(bytes, what);
    return {from, static_cast<std::size_t>(bytes)};
  }

 private:
  std::span<const std::byte> file_;
  std::string_view where_;
  std::size_t position_;
};

}  // namespace ffn::inline v0
