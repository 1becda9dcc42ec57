// GGUF files made by hand to mislead a reader: each must end in an Error{io} that says what is
// wrong.
#include <functional>
#include <limits>

#include "ffn/io/gguf.h"
#include "io/gguf_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

struct Hostile {
  std::string_view name;
  Bytes file;
  std::string_view says;
};

GgufBytes one_tensor(std::initializer_list<std::uint64_t> axes, std::uint32_t type,
                     std::uint64_t offset) {
  return GgufBytes().start(1, 0).tensor("a", axes, type, offset);
}

std::vector<Hostile> hostile_counts() {
  return {
      {"tensors", GgufBytes().start(kMost, 0).bytes, "the list of tensors at byte 24 should be"},
      {"entries", GgufBytes().start(0, kMost).bytes, "18446744073709551615 of at least 13 bytes"},
      {"one_tensor_missing", GgufBytes().start(1, 0).bytes, "the list of tensors"},
      {"one_entry_missing", GgufBytes().start(0, 1).bytes, "the metadata at byte 24"},
      {"key_length", GgufBytes().start(0, 1).add(kMost).raw("12345").bytes, "a key of metadata"},
      {"text_length", GgufBytes().start(0, 1).key("a", GgufType::text).add(kMost - 7).bytes,
       "a text of metadata"},
      {"list_length", GgufBytes().start(0, 1).list("a", GgufType::f64, kMost / 8 + 1).bytes,
       "should be 2305843009213693952 of at least 8 bytes"},
      {"list_of_bytes", GgufBytes().start(0, 1).list("a", GgufType::u8, 5).raw("1234").bytes,
       "should be 5 of at least 1 bytes"},
      {"texts", GgufBytes().start(0, 1).list("a", GgufType::text, 2).text("").add(7).bytes,
       "a value of metadata"},
      {"text_in_list", GgufBytes().start(0, 1).list("a", GgufType::text, 1).add(kMost).bytes,
       "a text of metadata"},
      {"name_length", GgufBytes().start(1, 0).add(kMost).raw("1234567890123456").bytes,
       "a tensor's name"},
      {"rank", GgufBytes().start(1, 0).text("a").add(~std::uint32_t{0}).data(99).bytes,
       "has 4294967295 axes, expected at most 4"},
  };
}

std::vector<Hostile> hostile_metadata() {
  const auto alignment = [](auto value, GgufType type) {
    return GgufBytes().start(0, 1).key("general.alignment", type).add(value).bytes;
  };
  return {
      {"twice",
       GgufBytes()
           .start(0, 2)
           .key("a", GgufType::u8)
           .raw("1")
           .key("a", GgufType::u8)
           .raw("2")
           .bytes,
       "metadata key 'a' appears twice"},
      {"type", GgufBytes().start(0, 1).key("a", static_cast<GgufType>(13)).raw("1").bytes,
       "unknown type 13"},
      {"list_of_lists", GgufBytes().start(0, 1).list("a", GgufType::list, 1).data(99).bytes,
       "a list of lists"},
      {"list_of_unknown",
       GgufBytes().start(0, 1).list("a", static_cast<GgufType>(99), 1).data(99).bytes,
       "unknown type 99"},
      {"bool", GgufBytes().start(0, 1).key("a", GgufType::flag).raw("\x02").bytes,
       "a bool of 2, expected 0 or 1"},
      {"bools", GgufBytes().start(0, 1).list("a", GgufType::flag, 2).raw("\x01\xff").bytes,
       "a bool of 255"},
      {"empty_key", GgufBytes().start(0, 1).key("", GgufType::u8).raw("1").bytes,
       "of 0 bytes, expected 1 to 65535"},
      {"long_key",
       GgufBytes().start(0, 1).key(std::string(65'536, 'k'), GgufType::u8).raw("1").bytes,
       "of 65536 bytes"},
      {"key_not_utf8", GgufBytes().start(0, 1).key("k\xff", GgufType::u8).raw("1").bytes,
       "'k\\xff' of 2 bytes"},
      {"alignment_0", alignment(std::uint32_t{0}, GgufType::u32), "is the u32 0, expected a whole"},
      {"alignment_4", alignment(std::uint32_t{4}, GgufType::u32), "from 8 to"},
      {"alignment_24", alignment(std::uint32_t{24}, GgufType::u32), "expected a power of two"},
      {"alignment_huge", alignment(std::uint64_t{1} << 63, GgufType::u64), "expected a whole"},
      {"alignment_negative", alignment(std::int32_t{-32}, GgufType::i32), "is the i32 -32"},
      {"alignment_float", alignment(32.0f, GgufType::f32), "is the f32 32"},
      {"alignment_text",
       GgufBytes().start(0, 1).key("general.alignment", GgufType::text).text("32").bytes,
       "is the string '32'"},
  };
}

std::vector<Hostile> hostile_tensors() {
  const auto two = [](std::uint64_t axis, std::uint64_t offset) {
    return GgufBytes().start(2, 0).tensor("a", {axis}, 24, 0).tensor("b", {4}, 24, offset);
  };
  return {
      {"overlap", two(64, 32).data(64).bytes, "inside the tensor before it, which ends at 64"},
      {"same_place", two(4, 0).data(4).bytes, "inside the tensor before it"},
      {"unaligned", two(4, 4).data(8).bytes,
       "begins at byte 4 of the data, expected a multiple of 32"},
      {"outside", two(4, 32).data(35).bytes, "is truncated: "},
      {"far", one_tensor({1}, 24, (std::uint64_t{1} << 63) - 32).data(1).bytes, "is truncated"},
      {"too_far", one_tensor({1}, 24, std::uint64_t{1} << 63).data(1).bytes,
       "too far for any file"},
      {"end_wraps",
       one_tensor({std::uint64_t{1} << 62}, 24, (std::uint64_t{3} << 61)).data(1).bytes,
       "too far for any file"},
      {"axis", one_tensor({std::uint64_t{1} << 63}, 24, 0).data(1).bytes, "too large for any file"},
      // 2^32 · 2^32 wraps to 0 in 64 bits; so do 2^62 elements of four bytes.
      {"wrapping",
       one_tensor({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 24, 0).data(1).bytes,
       "more than 2^63 bytes"},
      {"wrapping_element", one_tensor({std::uint64_t{1} << 62}, 0, 0).data(1).bytes,
       "more than 2^63 bytes"},
      {"wrapping_blocks", one_tensor({std::uint64_t{1} << 62, 64}, 2, 0).data(1).bytes,
       "more than 2^63 bytes"},
      {"cut_block", one_tensor({33}, 2, 0).data(99).bytes,
       "rows of 33 elements, expected a multiple of 32"},
      {"scalar_block", one_tensor({}, 2, 0).data(99).bytes, "rows of 1 elements"},
      {"five_axes", one_tensor({1, 1, 1, 1, 1}, 24, 0).data(1).bytes, "has 5 axes"},
      {"names_twice",
       GgufBytes().start(2, 0).tensor("a", {4}, 24, 0).tensor("a", {4}, 24, 32).data(36).bytes,
       "tensor 'a' appears twice"},
      {"no_name", GgufBytes().start(1, 0).tensor("", {4}, 24, 0).data(4).bytes,
       "a name of 0 bytes"},
      {"name_not_utf8", GgufBytes().start(1, 0).tensor("\xc0\x80", {4}, 24, 0).data(4).bytes,
       "'\\xc0\\x80' has a name"},
      // Without a byte of data, even a tensor that takes none would lie behind the file.
      {"no_data_of_unknown", one_tensor({5}, 77, 0).bytes, "is truncated: 57 bytes, expected 64"},
      {"no_data_of_empty", one_tensor({0}, 0, 0).bytes, "is truncated: 57 bytes, expected 64"},
      {"data_missing", one_tensor({8}, 0, 0).data(31).bytes, "is truncated: 95 bytes, expected 96"},
  };
}

TEST(GgufHostile, EveryLieIsNamed) {
  for (const auto& list : {hostile_counts(), hostile_metadata(), hostile_tensors()}) {
    for (const Hostile& hostile : list) {
      SCOPED_TRACE(hostile.name);
      expect_error(ErrorKind::io, {"[evil]", hostile.says},
                   [&] { parse_gguf(hostile.file, "evil"); });
    }
  }
}

TEST(GgufHostile, OtherVersionsAndByteOrdersAreNamed) {
  const auto expect = [](const Bytes& file, std::string_view says) {
    expect_error(ErrorKind::io, {"model.gguf", says}, [&] { parse_gguf(file, "model.gguf"); });
  };
  expect(GgufBytes().start(0, 0, 1).bytes, "is a GGUF file of version 1, expected 2 or 3: convert");
  expect(GgufBytes().start(0, 0, 0).bytes, "of version 0");
  expect(GgufBytes().start(0, 0, 4).bytes, "of version 4");
  expect(GgufBytes().start(0, 0, 3u << 24).bytes, "big-endian GGUF file, expected little endian");
  expect(to_bytes("ggml and so on"), "is no GGUF file: it starts with 'ggml', expected 'GGUF'");
  expect({}, "is empty (0 bytes)");
  expect(to_bytes("<!DOCTYPE html>"), "is an HTML page");
  expect(to_bytes("version git-lfs/spec/v1\nsize 12\n"), "git-LFS pointer");
  expect(to_bytes("GGUF\x03"), "the version at byte 4");
}

}  // namespace
}  // namespace ffn
