#include "ffn/io/safetensors.h"

#include <algorithm>

#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

template <class T>
std::vector<T> values_of(const SafetensorsFile& file, std::string_view name) {
  const auto data = file.data(file.at(name));
  std::vector<T> values(data.size() / sizeof(T));
  std::memcpy(values.data(), data.data(), data.size());
  return values;
}

TEST(Safetensors, ReadsAFileOfTheFormatsOwnLibrary) {
  // Written by the Python package safetensors (tests/fixtures/make_fixtures.py,
  // write_library_sample).
  const SafetensorsFile file(FFN_FIXTURES "/library_sample.safetensors");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(file.tensors().size(), 8u);
  EXPECT_EQ(file.at("f32").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.at("f32").dtype, DType::f32);
  EXPECT_EQ(values_of<float>(file, "f32"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values_of<double>(file, "f64"), (std::vector<double>{-1.5, 2.25}));
  EXPECT_EQ(file.at("bf16").dtype, DType::bf16);
  EXPECT_EQ(values_of<std::uint16_t>(file, "bf16"), (std::vector<std::uint16_t>{0x3f80, 0xc000}));
  EXPECT_EQ(values_of<std::uint16_t>(file, "f16"), (std::vector<std::uint16_t>{0x3c00}));
  EXPECT_EQ(values_of<std::int32_t>(file, "i32"), (std::vector<std::int32_t>{-7, 7}));
  EXPECT_EQ(values_of<std::uint8_t>(file, "u8"), (std::vector<std::uint8_t>{1, 2, 255}));
  EXPECT_EQ(file.at("i64").dtype, std::nullopt);
  EXPECT_EQ(file.at("i64").dtype_name, "I64");
  EXPECT_TRUE(file.at("scalar").shape.empty());
  EXPECT_EQ(values_of<float>(file, "scalar"), (std::vector<float>{3}));
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.safetensors").string();
  const std::vector<std::uint8_t> small{1, 2, 3};
  const std::vector<float> weight{1, -2, 3.5f, 0};
  const std::vector<double> wide{0.1};
  const std::vector<SafetensorsSource> sources{
      {"small", DType::u8, {3}, std::as_bytes(std::span(small))},
      {"none", DType::f32, {0, 5}, {}},
      {"quote\"\\ü\n", DType::f32, {2, 2}, std::as_bytes(std::span(weight))},
      {"wide", DType::f64, {}, std::as_bytes(std::span(wide))}};
  const std::map<std::string, std::string> metadata{{"k\"", "v\\\n"}, {"", ""}};
  write_safetensors(path, sources, metadata);

  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), 4u);
  for (const SafetensorsSource& source : sources) {
    const StoredTensor& read = file.at(source.name);
    EXPECT_EQ(read.dtype, source.dtype);
    EXPECT_EQ(read.shape, source.shape);
    EXPECT_TRUE(std::ranges::equal(file.data(read), source.data)) << source.name;
    EXPECT_EQ(read.offset_bytes % dtype_bytes(source.dtype, 1), 0) << source.name;
  }
  EXPECT_EQ(file.find("absent"), nullptr);
  expect_error(ErrorKind::io, {path, "'absent'", "4 tensors"}, [&] { file.at("absent"); });

  const Bytes first = read_file(path);
  write_safetensors(path, sources, metadata);
  EXPECT_EQ(read_file(path), first);
}

TEST(Safetensors, AFileWithoutTensorsIsValid) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  write_safetensors(path, {});
  EXPECT_TRUE(SafetensorsFile(path).tensors().empty());
  EXPECT_EQ(read_file(path), safetensors_bytes("{}      ", 0));
}

TEST(Safetensors, TensorsComeInTheOrderOfTheirData) {
  const Bytes file =
      safetensors_bytes(R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                        R"("empty":{"data_offsets":[1,1],"shape":[3,0],"dtype":"I64"},)"
                        R"("a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}} )",
                        3);
  const SafetensorsHeader header = parse_safetensors(file, "f");
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[1].name, "empty");
  EXPECT_EQ(header.tensors[2].name, "b");
  EXPECT_EQ(header.tensors[2].offset_bytes, static_cast<std::int64_t>(file.size()) - 2);
}

TEST(Safetensors, TheWriterRefusesWhatNobodyCouldRead) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  const std::vector<std::byte> two(2);
  const auto write = [&](std::vector<SafetensorsSource> sources,
                         const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(path, sources, metadata);
  };
  const SafetensorsSource good{"x", DType::u8, {2}, two};
  expect_error(ErrorKind::config, {"'x'", "twice"}, [&] { write({good, good}); });
  expect_error(ErrorKind::config, {"__metadata__"},
               [&] { write({{"__metadata__", DType::u8, {2}, two}}); });
  expect_error(ErrorKind::config, {"2 bytes", "needs 3"},
               [&] { write({{"x", DType::u8, {3}, two}}); });
  expect_error(ErrorKind::config, {"axis of -1"}, [&] { write({{"x", DType::u8, {-1}, two}}); });
  expect_error(ErrorKind::config, {"axis"}, [&] {
    write({{"x", DType::f64, {std::int64_t{1} << 32, std::int64_t{1} << 32}, two}});
  });
  expect_error(ErrorKind::config, {"q4_0"}, [&] { write({{"x", DType::q4_0, {2}, two}}); });
  expect_error(ErrorKind::config, {"UTF-8"}, [&] { write({{"\xff", DType::u8, {2}, two}}); });
  expect_error(ErrorKind::config, {"UTF-8"}, [&] { write({good}, {{"k", "\xc3"}}); });
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace ffn
