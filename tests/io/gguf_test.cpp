#include "ffn/io/gguf.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ffn/base/blocks.h"
#include "ffn/io/safetensors.h"
#include "io/gguf_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr double kAny = std::numeric_limits<double>::max();

// Written by the Python package gguf (tests/fixtures/block_cases.py, library_sample).
const GgufFile& sample() {
  static const GgufFile file(FFN_FIXTURES "/library_sample.gguf");
  return file;
}

TEST(Gguf, ReadsTheMetadataOfTheFormatsOwnLibrary) {
  const GgufMetadata& metadata = sample().metadata();
  EXPECT_EQ(sample().version(), 3u);
  EXPECT_EQ(metadata.text("general.architecture"), "sample");
  EXPECT_EQ(metadata.integer("kind.u8", 0, 255), 200);
  EXPECT_EQ(metadata.integer("kind.i8", -128, 127), -100);
  EXPECT_EQ(metadata.integer("kind.u16", 0, kMost), 60000);
  EXPECT_EQ(metadata.integer("kind.i16", kLeast, 0), -30000);
  EXPECT_EQ(metadata.integer("kind.u32", kLeast, kMost), 4'000'000'000);
  EXPECT_EQ(metadata.integer("kind.i32", kLeast, kMost), -2'000'000'000);
  EXPECT_EQ(metadata.integer("kind.i64", kLeast, kMost), -(std::int64_t{1} << 62));
  EXPECT_EQ(metadata.number("kind.f32", 0, 1), 0.5);
  EXPECT_EQ(metadata.number("kind.f64", 0, 1), 0.1);
  EXPECT_EQ(metadata.number("kind.u64", 0, kAny), 0x1p63);
  EXPECT_EQ(metadata.number("kind.i16", -kAny, kAny), -30000);
  EXPECT_TRUE(metadata.flag("kind.bool"));
  EXPECT_EQ(metadata.text("kind.string"), "Grüße");
  EXPECT_EQ(metadata.texts("list.string"), (std::vector<std::string_view>{"a", "", "ü"}));
  EXPECT_EQ(metadata.integers("list.i32", -1, 3), (std::vector<std::int64_t>{3, -1, 2}));
  EXPECT_EQ(metadata.numbers("list.f32", -2, 2), (std::vector<double>{0.5, -1.5}));
  EXPECT_EQ(metadata.numbers("list.i32", -2, 3), (std::vector<double>{3, -1, 2}));
}

TEST(Gguf, ReadsTheTensorsOfTheFormatsOwnLibrary) {
  EXPECT_EQ(sample().tensors().size(), 10u);
  EXPECT_EQ(sample().format(), "GGUF");
  const StoredTensor& plain = sample().at("f32");
  EXPECT_EQ(plain.shape, (std::vector<std::int64_t>{2, 3}));  // as in NumPy, not turned round
  EXPECT_EQ(plain.dtype, DType::f32);
  std::vector<float> values(6);
  std::memcpy(values.data(), sample().data(plain).data(), 24);
  EXPECT_EQ(values, (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(sample().at("i64").dtype, std::nullopt);
  EXPECT_EQ(sample().at("i64").dtype_name, "I64");
  for (const DType dtype :
       {DType::q4_0, DType::q4_1, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
    const std::string name(to_string(dtype));
    SCOPED_TRACE(name);
    const StoredTensor& tensor = sample().at(name);
    EXPECT_EQ(tensor.dtype, dtype);
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{4, 3 * block_elements(dtype)}));
    const SafetensorsFile blocks(FFN_FIXTURES "/blocks/" + name + ".safetensors");
    EXPECT_TRUE(std::ranges::equal(sample().data(tensor), blocks.data(blocks.at("blocks"))));
  }
}

TEST(Gguf, WrongMetadataIsNamed) {
  const GgufMetadata& metadata = sample().metadata();
  const auto expect = [](std::initializer_list<std::string_view> says, const auto& body) {
    expect_error(ErrorKind::io, says, body);
  };
  expect({"library_sample.gguf", "lacks the metadata key 'none'", "a whole number from 1 to 9"},
         [&] { metadata.integer("none", 1, 9); });
  expect({"'kind.u8' is the u8 200, expected a whole number from 1 to 9"},
         [&] { metadata.integer("kind.u8", 1, 9); });
  expect({"'kind.i8' is the i8 -100"}, [&] { metadata.integer("kind.i8", 0, 9); });
  expect({"'kind.u64' is the u64 9223372036854775808"},
         [&] { metadata.integer("kind.u64", kLeast, kMost); });
  expect({"'kind.f32' is the f32 0.5, expected a whole number"},
         [&] { metadata.integer("kind.f32", 0, 9); });
  expect({"'kind.bool' is the bool true, expected a whole number"},
         [&] { metadata.integer("kind.bool", 0, 9); });
  expect({"'kind.string' is the string 'Grüße', expected a number from 0 to 0.5"},
         [&] { metadata.number("kind.string", 0, 0.5); });
  expect({"'list.i32' is an array of 3 i32s"}, [&] { metadata.integer("list.i32", 0, 9); });
  expect({"'kind.u8' is the u8 200, expected a bool"}, [&] { metadata.flag("kind.u8"); });
  expect({"'list.bool'", "expected a bool"}, [&] { metadata.flag("list.bool"); });
  expect({"'kind.u8'", "expected a string"}, [&] { metadata.text("kind.u8"); });
  expect({"'list.string'", "expected a string of"}, [&] { metadata.text("list.string"); });
  expect({"'kind.string'", "expected an array of strings"}, [&] { metadata.texts("kind.string"); });
  expect(
      {"'list.i32' is an array whose element 1 is -1, expected an array of whole numbers from 0"},
      [&] { metadata.integers("list.i32", 0, 9); });
  expect({"'list.f32'", "whole numbers"}, [&] { metadata.integers("list.f32", -9, 9); });
  expect({"'list.f32' is an array whose element 1 is -1.5"},
         [&] { metadata.numbers("list.f32", -1, 1); });
  expect({"'list.string'", "numbers"}, [&] { metadata.numbers("list.string", -1, 1); });
  // A value to take where there is none does not excuse a wrong one.
  EXPECT_EQ(metadata.integer("none", 1, 9, 5), 5);
  EXPECT_EQ(metadata.number("none", 1, 9, 5.5), 5.5);
  EXPECT_TRUE(metadata.flag("none", true));
  EXPECT_EQ(metadata.text("none", "x"), "x");
  expect({"'kind.u8'"}, [&] { metadata.integer("kind.u8", 1, 9, 5); });
}

TEST(Gguf, NumbersAreFiniteAndTextsAreUtf8) {
  const Bytes file = GgufBytes()
                         .start(0, 5)
                         .key("nan", GgufType::f32)
                         .add(std::nanf(""))
                         .key("infinite", GgufType::f64)
                         .add(-INFINITY * 1.0)
                         .list("nans", GgufType::f32, 1)
                         .add(std::nanf(""))
                         .key("text", GgufType::text)
                         .text("a\xc3(")
                         .list("texts", GgufType::text, 2)
                         .text("a")
                         .text("\xed\xa0\x80")  // a surrogate
                         .bytes;
  const GgufMetadata metadata(file, "f", parse_gguf(file, "f").metadata);
  expect_error(ErrorKind::io, {"'nan' is the f32 nan"}, [&] { metadata.number("nan", -1, 1); });
  expect_error(ErrorKind::io, {"'infinite'"}, [&] { metadata.number("infinite", -kAny, kAny); });
  expect_error(ErrorKind::io, {"'nans'", "element 0"}, [&] { metadata.numbers("nans", -1, 1); });
  expect_error(ErrorKind::io, {"'text' is the string 'a\\xc3('"}, [&] { metadata.text("text"); });
  expect_error(ErrorKind::io, {"'texts'", "element 1 is '\\xed\\xa0\\x80'"},
               [&] { metadata.texts("texts"); });
  EXPECT_EQ(metadata.texts_to_show()[3].value, "a\\xc3(");
}

TEST(Gguf, LongValuesAreCutShortWhenShown) {
  GgufBytes file;
  file.start(0, 3).list("many", GgufType::u16, 1000);
  for (std::uint16_t i = 0; i < 1000; ++i) file.add(i);
  file.key("long", GgufType::text).text(std::string(10'000, 'x'));
  file.list("few", GgufType::flag, 2).add(std::uint8_t{1}).add(std::uint8_t{0});
  const GgufMetadata metadata(file.bytes, "f", parse_gguf(file.bytes, "f").metadata);
  const std::vector<MetadataText> texts = metadata.texts_to_show();
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0].type, "u16[]");
  EXPECT_EQ(texts[0].value, "[0, 1, 2, 3, 4, 5, … (1000 in all)]");
  EXPECT_EQ(texts[1].value.substr(0, 200), std::string(200, 'x'));
  EXPECT_EQ(texts[1].value.substr(200), "…");
  EXPECT_EQ(texts[2].value, "[true, false]");
}

TEST(Gguf, AlignmentIsTheFiles) {
  const Bytes file = GgufBytes()
                         .start(2, 1, 2)
                         .key("general.alignment", GgufType::u32)
                         .add(std::uint32_t{64})
                         .tensor("a", {3}, 24, 0)
                         .tensor("b", {1}, 0, 64)
                         .data(68, 64)
                         .bytes;
  const GgufHeader header = parse_gguf(file, "f");
  EXPECT_EQ(header.version, 2u);
  EXPECT_EQ(header.alignment, 64);
  EXPECT_EQ(header.data_offset_bytes % 64, 0);
  EXPECT_EQ(header.tensors[1].offset_bytes, header.data_offset_bytes + 64);
}

TEST(Gguf, UnknownTypesAreListed) {
  const Bytes file =
      GgufBytes().start(2, 0).tensor("b", {5}, 24, 64).tensor("a", {3, 2}, 77, 0).data(70).bytes;
  const GgufHeader header = parse_gguf(file, "f");
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype_name, "type 77");
  EXPECT_EQ(header.tensors[0].dtype, std::nullopt);
  EXPECT_EQ(header.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(header.tensors[0].bytes, 64);  // all up to the next
}

}  // namespace
}  // namespace ffn
