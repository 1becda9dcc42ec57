#include "ffn/io/checkpoint.h"

#include "ffn/io/safetensors.h"
#include "ffn/io/safetensors_shards.h"
#include "io/gguf_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;

const std::vector<std::byte> kData(4);
const std::vector<SafetensorsSource> kSources{{"a", DType::f32, {1}, kData}};

TEST(Checkpoint, OpensEveryFormatTheSameWay) {
  const TemporaryFolder single, shards, gguf;
  write_safetensors((single / "model.safetensors").string(), kSources);
  write_safetensors_shards(shards.path().string(), kSources, 100);
  write_file(gguf / "a.gguf", GgufBytes().start(1, 0).tensor("a", {1}, 0, 0).data(4).bytes);
  write_file(gguf / "renamed", read_file(gguf / "a.gguf"));
  const std::pair<std::filesystem::path, std::string_view> cases[] = {
      {single.path(), "safetensors"},
      {single / "model.safetensors", "safetensors"},
      {shards.path(), "safetensors in shards"},
      {shards / kSafetensorsIndexName, "safetensors in shards"},
      {shards / "model-00001-of-00001.safetensors", "safetensors"},
      {gguf / "a.gguf", "GGUF"},
      {gguf / "renamed", "GGUF"}};
  for (const auto& [path, format] : cases) {
    SCOPED_TRACE(path);
    const std::unique_ptr<TensorSource> source = open_checkpoint(path.string());
    EXPECT_EQ(source->format(), format);
    ASSERT_EQ(source->tensors().size(), 1u);
    EXPECT_EQ(source->at("a").dtype, DType::f32);
    EXPECT_EQ(source->data(source->at("a")).size(), 4u);
    EXPECT_EQ(as_gguf(*source) != nullptr, format == "GGUF");
  }
}

TEST(Checkpoint, SaysWhatAFolderLacks) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  expect_error(ErrorKind::io, {path, "holds neither model.safetensors nor"},
               [&] { open_checkpoint(path); });
  write_file(folder / "x.gguf", GgufBytes().start(0, 0).bytes);
  expect_error(ErrorKind::io, {"name its GGUF file 'x.gguf' itself"},
               [&] { open_checkpoint(path); });
  write_safetensors_shards(path, kSources, 100);
  write_safetensors((folder / "model.safetensors").string(), kSources);
  expect_error(ErrorKind::io, {"holds both", "name one of the two"},
               [&] { open_checkpoint(path); });
}

TEST(Checkpoint, OtherFilesAreNamed) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::io, {"No such file"}, [&] { open_checkpoint((folder / "no").string()); });
  expect_error(ErrorKind::io, {"NUL"}, [&] { open_checkpoint(std::string("a\0b", 3)); });
  const auto expect = [&](std::string_view name, std::string_view content, std::string_view says) {
    write_file(folder / name, to_bytes(content));
    expect_error(ErrorKind::io, {name, says}, [&] { open_checkpoint((folder / name).string()); });
  };
  expect("a.gguf", "<!DOCTYPE html>", "is an HTML page (15 bytes), probably");
  expect("a.safetensors", "PK\x03\x04 and so on", "is a zip archive");
  expect("a.json", "{}", "lacks the key 'weight_map'");
  expect("a.bin", "", "is empty (0 bytes)");
}

TEST(TensorSource, Utf8HasOneFormPerCharacter) {
  for (const std::string_view good :
       {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Grüße 🙂"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xf0\x90\x80"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(TensorSource, ShownTextIsSafeForATerminal) {
  EXPECT_EQ(shown_text("a\x1b[31m\n\x7f\xff", 100), "a\\x1b[31m\\x0a\\x7f\\xff");
  EXPECT_EQ(shown_text("abc", 3), "abc");
  EXPECT_EQ(shown_text("abcd", 3), "abc…");
  EXPECT_EQ(shown_text("abü", 3), "ab…");  // not inside a character
}

}  // namespace
}  // namespace ffn
