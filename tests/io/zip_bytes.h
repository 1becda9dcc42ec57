// Zip files of stored members, written byte by byte as the format's description has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffn/io/checksum.h"
#include "io/files.h"

namespace ffn::testing_io {

inline Bytes zip_bytes(const std::vector<std::pair<std::string, std::string>>& members) {
  Bytes file, directory;
  const auto number = [](Bytes& to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i, value >>= 8) to.push_back(static_cast<std::byte>(value));
  };
  const auto text = [](Bytes& to, std::string_view value) {
    for (const char c : value) to.push_back(static_cast<std::byte>(c));
  };
  // Version 2.0, no flags, stored, no time; checksum, sizes, length of the name, nothing extra.
  const auto common = [&](Bytes& to, const std::string& name, const std::string& content) {
    number(to, 20, 2), number(to, 0, 8);
    number(to, crc32_of(std::as_bytes(std::span(content))), 4);
    number(to, content.size(), 4), number(to, content.size(), 4);
    number(to, name.size(), 2), number(to, 0, 2);
  };
  for (const auto& [name, content] : members) {
    number(directory, 0x02014b50, 4), number(directory, 20, 2);
    common(directory, name, content);
    number(directory, 0, 10), number(directory, file.size(), 4);
    text(directory, name);
    number(file, 0x04034b50, 4);
    common(file, name, content);
    text(file, name), text(file, content);
  }
  const std::size_t begin = file.size();
  file.insert(file.end(), directory.begin(), directory.end());
  number(file, 0x06054b50, 4), number(file, 0, 4);
  number(file, members.size(), 2), number(file, members.size(), 2);
  number(file, directory.size(), 4), number(file, begin, 4), number(file, 0, 2);
  return file;
}

}  // namespace ffn::testing_io
