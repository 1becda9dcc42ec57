// GGUF files for the tests, byte by byte.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "ffn/io/gguf_metadata.h"
#include "io/files.h"

namespace ffn::testing_io {

class GgufBytes {
 public:
  template <class T>
  GgufBytes& add(T value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
    return *this;
  }
  GgufBytes& raw(std::string_view text) {
    const Bytes more = to_bytes(text);
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  GgufBytes& text(std::string_view value) {
    return add(static_cast<std::uint64_t>(value.size())).raw(value);
  }
  GgufBytes& start(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
    return raw("GGUF").add(version).add(tensors).add(entries);
  }
  // A key and its type; the value follows.
  GgufBytes& key(std::string_view name, GgufType type) {
    return text(name).add(static_cast<std::uint32_t>(type));
  }
  GgufBytes& list(std::string_view name, GgufType elements, std::uint64_t count) {
    return key(name, GgufType::list).add(static_cast<std::uint32_t>(elements)).add(count);
  }
  // `axes`: the fastest first. Types: 0 F32, 2 Q4_0, 24 I8.
  GgufBytes& tensor(std::string_view name, std::initializer_list<std::uint64_t> axes,
                    std::uint32_t type, std::uint64_t offset) {
    text(name).add(static_cast<std::uint32_t>(axes.size()));
    for (const std::uint64_t axis : axes) add(axis);
    return add(type).add(offset);
  }
  // Zeros up to a multiple of `alignment`, then `count` of them.
  GgufBytes& data(std::size_t count, std::size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment + count);
    return *this;
  }

  Bytes bytes;
};

}  // namespace ffn::testing_io
