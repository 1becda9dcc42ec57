// Bytes and files for the tests of io.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/base/error.h"

namespace ffn::testing_io {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

// Eight bytes of header size, the header, `data` zero bytes.
inline Bytes safetensors_bytes(std::string_view header, std::size_t data) {
  Bytes file(8 + header.size() + data);
  const std::uint64_t size = header.size();
  std::memcpy(file.data(), &size, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  return file;
}

// Magic, big-endian sizes, `data` bytes counting up from 0.
inline Bytes idx_bytes(int type, std::initializer_list<std::uint32_t> axes, std::size_t data) {
  Bytes file{std::byte{0}, std::byte{0}, static_cast<std::byte>(type),
             static_cast<std::byte>(axes.size())};
  for (const std::uint32_t axis : axes) {
    for (int shift = 24; shift >= 0; shift -= 8)
      file.push_back(static_cast<std::byte>(axis >> shift));
  }
  for (std::size_t i = 0; i < data; ++i) file.push_back(static_cast<std::byte>(i));
  return file;
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return to_bytes(text);
}

inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good()) << path;
}

// A folder of this test's own, removed afterwards.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "ffn_io_XXXXXX").string();
    const char* made = ::mkdtemp(name.data());
    path_ = made != nullptr ? made : "";
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Runs `body`, which must throw Error of `kind` whose message holds every one of `parts`.
template <class Body>
void expect_error(ErrorKind kind, std::initializer_list<std::string_view> parts, const Body& body) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string_view part : parts)
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << "'" << part << "' is not in: " << error.what();
  }
}

}  // namespace ffn::testing_io
