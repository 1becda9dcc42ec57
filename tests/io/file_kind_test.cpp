#include "ffn/io/file_kind.h"

#include "ffn/io/idx.h"
#include "ffn/io/safetensors.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

struct Foreign {
  std::string_view name, content, says, cure;
};

constexpr std::string_view kPointer =
    "version https:"
    "//git-lfs.github.com/spec/v1\n"
    "oid sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "size 988097824\n";

using namespace std::string_view_literals;
constexpr Foreign kForeign[] = {
    {"pointer", kPointer, "git-LFS pointer", "git lfs pull"},
    {"page", "\n <!DOCTYPE html><html><body>Not found</body></html>", "HTML page", "download"},
    {"page_plain", "<HTML><head>", "HTML page", "download"},
    {"zip", "PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00model/data.pkl"sv, "zip archive",
     "safetensors"},
    {"pickle", "\x80\x02}q\x00X\x06\x00\x00\x00weight"sv, "Python pickle", "safetensors"},
    {"json", "{\"weight_map\": {\"a\": \"model-00001.safetensors\"}}", "JSON text", "index"},
    {"gguf", "GGUF\x03\x00\x00\x00"sv, "GGUF", ""},
    {"empty", "", "is empty (0 bytes)", "again"},
};

TEST(FileKind, SafetensorsCallsForeignFilesByName) {
  for (const Foreign& foreign : kForeign) {
    SCOPED_TRACE(foreign.name);
    expect_error(ErrorKind::io,
                 {"model.safetensors", foreign.says, foreign.cure, "expected a safetensors file",
                  std::to_string(foreign.content.size()) + " bytes"},
                 [&] { parse_safetensors(to_bytes(foreign.content), "model.safetensors"); });
  }
  expect_error(ErrorKind::io, {"gzip"},
               [] { parse_safetensors(to_bytes("\x1f\x8b\x08 and so on"), "model.safetensors"); });
}

TEST(FileKind, IdxCallsForeignFilesByName) {
  for (const Foreign& foreign : kForeign) {
    SCOPED_TRACE(foreign.name);
    expect_error(ErrorKind::io, {"images.gz", foreign.says, foreign.cure, "expected an IDX file"},
                 [&] { parse_idx(to_bytes(foreign.content), "images.gz"); });
  }
}

TEST(FileKind, AGitLfsPointerNamesBothSizes) {
  const std::string text = describe_foreign_file(to_bytes(kPointer));
  EXPECT_NE(text.find(std::to_string(kPointer.size()) + " bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("988097824 bytes"), std::string::npos) << text;
}

TEST(FileKind, OtherBytesHaveNoName) {
  for (const std::string_view content : {"abc"sv, "\x00\x00\x08\x03"sv, "P"sv, "\x80\x09"sv})
    EXPECT_EQ(describe_foreign_file(to_bytes(content)), "");
}

TEST(FileKind, TextOfAFileCannotReachTheTerminalRaw) {
  EXPECT_EQ(in_quotes("a\x1b[31m\n\x7f"), "'a\\x1b[31m\\x0a\\x7f'");
  EXPECT_EQ(in_quotes(std::string(80, 'x')), "'" + std::string(80, 'x') + "'");
  EXPECT_EQ(in_quotes(std::string(81, 'x')), "'" + std::string(80, 'x') + "…'");
  // 79 bytes and a two-byte character: cut before the character, not inside it.
  EXPECT_EQ(in_quotes(std::string(79, 'x') + "\xC3\xA9"), "'" + std::string(79, 'x') + "…'");
}

}  // namespace
}  // namespace ffn
