#include "ffn/io/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

std::size_t files_in(const TemporaryFolder& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++count;
  return count;
}

TEST(AtomicFile, CommitReplacesTheTarget) {
  const TemporaryFolder folder;
  write_file(folder / "a", to_bytes("old"));
  AtomicFile file((folder / "a").string());
  file.write("new ");
  file.write("content");
  EXPECT_EQ(read_file(folder / "a"), to_bytes("old"));
  EXPECT_EQ(files_in(folder), 2u);  // beside it, in the same folder
  file.commit();
  EXPECT_EQ(read_file(folder / "a"), to_bytes("new content"));
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, WithoutCommitNothingChanges) {
  const TemporaryFolder folder;
  write_file(folder / "a", to_bytes("old"));
  {
    AtomicFile file((folder / "a").string());
    file.write("new");
  }
  EXPECT_EQ(read_file(folder / "a"), to_bytes("old"));
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, APathWithoutFolderIsInTheCurrentOne) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  AtomicFile file("b");
  file.write("here");
  file.commit();
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "b"), to_bytes("here"));
}

TEST(AtomicFile, TheUmaskDecidesWhoMayRead) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  AtomicFile file((folder / "a").string());
  file.commit();
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

TEST(AtomicFile, ALinkIsReplacedNotFollowed) {
  const TemporaryFolder folder;
  write_file(folder / "elsewhere", to_bytes("precious"));
  std::filesystem::create_symlink(folder / "elsewhere", folder / "link");
  AtomicFile file((folder / "link").string());
  file.write("new");
  file.commit();
  EXPECT_EQ(read_file(folder / "elsewhere"), to_bytes("precious"));
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "link"));
}

TEST(AtomicFile, TheLongestNamesWork) {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  AtomicFile file((folder / name).string());
  file.commit();
  EXPECT_TRUE(std::filesystem::exists(folder / name));
}

TEST(AtomicFile, SaysWhyItFails) {
  const TemporaryFolder folder;
  const std::string nowhere = (folder / "missing").string() + "/a";
  expect_error(ErrorKind::io, {nowhere, "No such file"}, [&] { AtomicFile file(nowhere); });
  expect_error(ErrorKind::io, {"names a folder"},
               [&] { AtomicFile file(folder.path().string() + "/"); });
  std::filesystem::create_directory(folder / "d");
  expect_error(ErrorKind::io, {"cannot be replaced"}, [&] {
    AtomicFile file((folder / "d").string());
    file.commit();
  });
  EXPECT_EQ(files_in(folder), 1u);  // the failed commit left nothing behind
}

TEST(AtomicFile, AFullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder / "a", to_bytes("old"));
  // A limit on file size stands for the full disk: both make write() fail half way.
  struct rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ErrorKind::io, {"cannot be written", "File too large"}, [&] {
    AtomicFile file((folder / "a").string());
    file.write(std::string(2000, 'x'));
    file.commit();
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(folder / "a"), to_bytes("old"));
  EXPECT_EQ(files_in(folder), 1u);
}

}  // namespace
}  // namespace ffn
