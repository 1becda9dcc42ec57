// Members are found and read by name and go nowhere by themselves; a damaged archive is an error or
// what it was.
#include "ffn/io/zip_archive.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/zip_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;

std::string member(const ZipArchive& archive, std::string_view name, std::int64_t limit = 1 << 20) {
  std::string text;
  archive.read(name, limit, [&](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

class Zip : public testing::Test {
 protected:
  std::string write(const Bytes& bytes) const {
    write_file(folder_ / "a.zip", bytes);
    return (folder_ / "a.zip").string();
  }

  TemporaryFolder folder_;
  const std::vector<std::pair<std::string, std::string>> members_ = {
      {"a/b.txt", "hello"}, {"../up", "out"}, {"empty", ""}};
  const Bytes bytes_ = zip_bytes(members_);
};

TEST_F(Zip, MembersAreReadByName) {
  const ZipArchive archive(write(bytes_));
  EXPECT_EQ(archive.names(), (std::vector<std::string>{"a/b.txt", "../up", "empty"}));
  EXPECT_TRUE(archive.has("a/b.txt"));
  EXPECT_FALSE(archive.has("A/b.txt"));
  EXPECT_EQ(member(archive, "a/b.txt"), "hello");
  EXPECT_EQ(member(archive, "../up"), "out");
  EXPECT_EQ(member(archive, "empty"), "");
  EXPECT_FALSE(std::filesystem::exists(folder_.path().parent_path() / "up"));
  std::string text(400'000, 'x');
  text.back() = 'y';
  const ZipArchive large(write(zip_bytes({{"large", text}})));
  EXPECT_EQ(member(large, "large"), text);
}

TEST_F(Zip, LimitsAndWrongNamesAreErrors) {
  const ZipArchive archive(write(bytes_));
  EXPECT_EQ(member(archive, "a/b.txt", 5), "hello");
  expect_error(ErrorKind::io, {"a.zip", "'a/b.txt'", "more than 4 bytes"},
               [&] { member(archive, "a/b.txt", 4); });
  expect_error(ErrorKind::io, {"has no 'b.txt'"}, [&] { member(archive, "b.txt"); });
  EXPECT_EQ(member(archive, "a/b.txt"), "hello");  // and goes on
}

TEST_F(Zip, OtherFilesAreNamed) {
  const auto open = [&](std::string_view text) {
    const std::string path = write(to_bytes(text));
    return [path] { ZipArchive archive(path); };
  };
  expect_error(ErrorKind::io, {"is no zip file"}, open("something else"));
  expect_error(ErrorKind::io, {"GGUF"}, open("GGUF\3\0\0\0"));
  expect_error(ErrorKind::io, {"damaged or truncated zip"}, open("PK\3\4"));
  expect_error(ErrorKind::io, {"No such file"}, [&] { ZipArchive archive(folder_ / "none"); });
}

// A member that can be read is what was written, or an error says what is wrong.
void read_all(const std::string& path,
              const std::vector<std::pair<std::string, std::string>>& members) {
  try {
    const ZipArchive archive(path);
    archive.names();
    for (const auto& [name, content] : members) {
      if (archive.has(name)) {
        EXPECT_EQ(member(archive, name), content);
      }
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
  }
}

TEST_F(Zip, DamageIsAnErrorOrHarmless) {
  for (std::size_t size = 0; size < bytes_.size(); ++size)
    read_all(write(Bytes(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size))),
             members_);
  for (std::size_t bit = 0; bit < 8 * bytes_.size(); ++bit) {
    Bytes damaged = bytes_;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    read_all(write(damaged), members_);
  }
  Bytes damaged = bytes_;
  const auto at = std::ranges::search(damaged, to_bytes("hello")).begin();
  *at ^= std::byte{1};
  expect_error(ErrorKind::io, {"'a/b.txt'", "checksum"},
               [&] { member(ZipArchive(write(damaged)), "a/b.txt"); });
}

}  // namespace
}  // namespace ffn
