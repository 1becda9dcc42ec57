#include "ffn/io/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

// Pages of the mapping that are in this process's page tables, from /proc/self/smaps.
std::int64_t resident_kib(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto target = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
      inside = begin <= target && target < end;
    long kib = 0;
    if (inside && std::sscanf(line.c_str(), "Rss: %ld kB", &kib) == 1) return kib;
  }
  return -1;
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  write_file(folder / "a", to_bytes("hello"));
  const MappedFile file((folder / "a").string());
  const Bytes expected = to_bytes("hello");
  EXPECT_TRUE(std::ranges::equal(file.bytes(), expected));
  EXPECT_EQ(file.path(), (folder / "a").string());
}

TEST(MappedFile, AnEmptyFileIsEmpty) {
  const TemporaryFolder folder;
  write_file(folder / "a", {});
  const MappedFile file((folder / "a").string());
  EXPECT_TRUE(file.bytes().empty());
  file.discard(0, 100);
}

TEST(MappedFile, DiscardedPagesLeaveMemoryAndComeBack) {
  const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  const std::int64_t pages = 64;
  const TemporaryFolder folder;
  Bytes content(static_cast<std::size_t>(pages * page) - 7);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 31 >> 5);
  write_file(folder / "a", content);
  const MappedFile file((folder / "a").string());
  const auto touch = [&] { return std::ranges::equal(file.bytes(), content); };
  ASSERT_TRUE(touch());
  const std::int64_t all_kib = pages * page / 1024;
  ASSERT_EQ(resident_kib(file.bytes().data()), all_kib);

  // One byte short on either side: the two pages at the ends of the range stay.
  file.discard(1, 10 * page);
  EXPECT_LE(resident_kib(file.bytes().data()), all_kib - 9 * page / 1024);
  EXPECT_TRUE(touch());
  file.discard(0, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(resident_kib(file.bytes().data()), 0);
  EXPECT_TRUE(touch());
  // Ranges outside the file, or empty, do nothing.
  for (const auto& [offset, count] :
       {std::pair<std::int64_t, std::int64_t>{-5, 5},
        {pages * page, 10},
        {0, 0},
        {10, -1},
        {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()},
        {std::numeric_limits<std::int64_t>::min(), 1},
        {0, page - 1}})
    file.discard(offset, count);
  EXPECT_EQ(resident_kib(file.bytes().data()), all_kib);
}

TEST(MappedFile, SaysWhyItCannotBeOpened) {
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing").string();
  expect_error(ErrorKind::io, {missing, "No such file"}, [&] { MappedFile file(missing); });
  expect_error(ErrorKind::io, {"is a folder"}, [&] { MappedFile file(folder.path().string()); });
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_error(ErrorKind::io, {"no regular file"}, [&] { MappedFile file(pipe); });
  expect_error(ErrorKind::io, {"NUL"}, [] { MappedFile file(std::string("a\0b", 3)); });
}

}  // namespace
}  // namespace ffn
