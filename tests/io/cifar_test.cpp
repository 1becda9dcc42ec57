#include "ffn/io/cifar.h"

#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

// `count` records; record i has label i (and coarse label i), pixel p the value (i + p) mod 251.
Bytes records(CifarKind kind, std::size_t count) {
  Bytes file;
  for (std::size_t i = 0; i < count; ++i) {
    if (kind == CifarKind::cifar100) file.push_back(static_cast<std::byte>(i));
    file.push_back(static_cast<std::byte>(i));
    for (std::size_t p = 0; p < 3072; ++p) file.push_back(static_cast<std::byte>((i + p) % 251));
  }
  return file;
}

TEST(Cifar, ReadsLabelsAndPlanes) {
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    const CifarArray array = parse_cifar(records(kind, 3), kind, "f");
    EXPECT_EQ(array.count, 3);
    EXPECT_EQ(array.labels, (std::vector<std::uint8_t>{0, 1, 2}));
    EXPECT_EQ(array.coarse_labels.size(), kind == CifarKind::cifar100 ? 3u : 0u);
    ASSERT_EQ(array.pixels.size(), 3u * 3072);
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t p = 0; p < 3072; ++p)
        ASSERT_EQ(array.pixels[i * 3072 + p], (i + p) % 251) << i << ", " << p;
    }
  }
}

TEST(Cifar, TheFineLabelIsTheSecondByte) {
  Bytes file = records(CifarKind::cifar100, 1);
  file[0] = std::byte{19};
  file[1] = std::byte{99};
  const CifarArray array = parse_cifar(file, CifarKind::cifar100, "f");
  EXPECT_EQ(array.coarse_labels[0], 19);
  EXPECT_EQ(array.labels[0], 99);
}

TEST(Cifar, LabelsOutOfRangeNameTheirRecord) {
  Bytes file = records(CifarKind::cifar10, 4);
  file[3 * 3073] = std::byte{10};  // the last record
  expect_error(ErrorKind::io, {"data.bin", "record 3 has label 10 (byte 9219), expected 0 to 9"},
               [&] { parse_cifar(file, CifarKind::cifar10, "data.bin"); });
  file = records(CifarKind::cifar100, 2);
  file[3074] = std::byte{20};
  expect_error(ErrorKind::io, {"record 1 has label 20 (byte 3074), expected 0 to 19"},
               [&] { parse_cifar(file, CifarKind::cifar100, "f"); });
  file = records(CifarKind::cifar100, 2);
  file[3075] = std::byte{100};
  expect_error(ErrorKind::io, {"record 1 has label 100 (byte 3075), expected 0 to 99"},
               [&] { parse_cifar(file, CifarKind::cifar100, "f"); });
}

TEST(Cifar, SaysWhatIsWrong) {
  const auto expect = [](const Bytes& file, CifarKind kind,
                         std::initializer_list<std::string_view> says) {
    expect_error(ErrorKind::io, says, [&] { parse_cifar(file, kind, "train.bin"); });
  };
  expect({}, CifarKind::cifar10, {"train.bin", "is empty", "expected a CIFAR-10 binary file"});
  expect(records(CifarKind::cifar100, 2), CifarKind::cifar10,
         {"6148 bytes are records of 3074 bytes, as CIFAR-100 has"});
  expect(records(CifarKind::cifar10, 2), CifarKind::cifar100, {"as CIFAR-10 has"});
  Bytes cut = records(CifarKind::cifar10, 2);
  cut.resize(cut.size() - 7);
  expect(cut, CifarKind::cifar10, {"truncated: 6139 bytes, expected a multiple of 3073", "3066"});
  cut = records(CifarKind::cifar100, 2);
  cut.resize(cut.size() - 1);
  expect(cut, CifarKind::cifar100, {"expected a multiple of 3074"});
  expect_error(ErrorKind::io, {"more than the 3073 allowed"},
               [&] { parse_cifar(records(CifarKind::cifar10, 2), CifarKind::cifar10, "f", 3073); });
}

TEST(Cifar, ForeignFilesAreNamed) {
  // Padded to whole records, so that only their content tells.
  const auto whole = [](std::string_view text) {
    Bytes file = to_bytes(text);
    file.resize(3073 * 3074);
    return file;
  };
  for (const CifarKind kind : {CifarKind::cifar10, CifarKind::cifar100}) {
    for (const auto& [text, says] :
         {std::pair<std::string_view, std::string_view>{"<!DOCTYPE html>", "HTML page"},
          {"\n <html>", "HTML page"},
          {"version git-lfs/spec/v1\nsize 12\n", "git-LFS pointer"},
          {"\x80\x02}q", "Python pickle"},
          {"\x1f\x8b\x08", "gzip file"},
          {"PK\x03\x04", "zip archive"}}) {
      expect_error(ErrorKind::io, {says}, [&] { parse_cifar(to_bytes(text), kind, "f"); });
      if (text[0] == '\n') continue;  // as long as whole records, it is told by its labels
      expect_error(ErrorKind::io, {says}, [&] { parse_cifar(whole(text), kind, "f"); });
    }
  }
}

TEST(Cifar, ReadsFiles) {
  const TemporaryFolder folder;
  write_file(folder / "test.bin", records(CifarKind::cifar100, 2));
  EXPECT_EQ(read_cifar((folder / "test.bin").string(), CifarKind::cifar100).count, 2);
  expect_error(ErrorKind::io, {"missing.bin"},
               [&] { read_cifar((folder / "missing.bin").string(), CifarKind::cifar100); });
}

}  // namespace
}  // namespace ffn
