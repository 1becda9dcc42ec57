// Headers made by hand to mislead a reader: each must end in an Error{io} that says what is wrong.
#include <cstring>

#include "ffn/io/safetensors.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

struct Hostile {
  std::string_view name, header;
  std::size_t data;
  std::string_view says;
};

constexpr Hostile kHostile[] = {
    {"overlap",
     R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
     6, "inside the tensor before it, which ends at 4"},
    {"same_place",
     R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
     4, "inside the tensor before it"},
    {"empty_inside",
     R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
     4, "inside the tensor before it"},
    {"hole",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
     3, "bytes 1 to 2 of the data, before tensor 'b', belong to no tensor"},
    {"hole_first", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "bytes 0 to 1"},
    {"leftover", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 3,
     "2 bytes after its last tensor"},
    {"leftover_without_tensors", "{}", 1, "1 bytes after its last tensor"},
    {"data_missing", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7,
     "is truncated: 69 bytes, expected 70"},
    {"backwards", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1,
     "before it begins at 1"},
    {"wrong_size", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
     "takes 4 bytes, but its shape and dtype need 8"},
    // 2^32 · 2^32 wraps to 0 in 64 bits; 2^61 · 8 too.
    {"wrapping_product",
     R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
     "more than 2^63 bytes"},
    {"wrapping_element",
     R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0,
     "more than 2^63 bytes"},
    {"huge_offset",
     R"({"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}})",
     0, "is truncated"},
    {"number_beyond_63_bits",
     R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}})", 0,
     "too large for any file"},
    {"number_beyond_64_bits",
     R"({"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,0]}})", 0,
     "no integer below 2^64"},
    {"negative", R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}})", 0, "negative number"},
    {"fraction", R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1, "no integer"},
    {"twice_tensor",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
     2, "tensor 'a' appears twice"},
    {"twice_by_escape",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
     2, "tensor 'a' appears twice"},
    {"twice_metadata", R"({"__metadata__":{},"__metadata__":{}})", 0,
     "'__metadata__' appears twice"},
    {"twice_metadata_key", R"({"__metadata__":{"k":"1","k":"2"}})", 0,
     "metadata key 'k' appears twice"},
    {"twice_field", R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
     "has key 'dtype' twice"},
    {"unknown_field", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1,
     "unknown key 'x'"},
    {"no_dtype", R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1, "lacks dtype"},
    {"no_shape", R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, "lacks shape"},
    {"no_offsets", R"({"a":{"dtype":"U8","shape":[1]}})", 1, "lacks data_offsets"},
    {"one_offset", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1,
     "has 1 data_offsets"},
    {"three_offsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1,
     "more than 2 data_offsets"},
    {"unknown_dtype", R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,1]}})", 1,
     "unknown dtype 'F33'; known are F32"},
    {"nine_axes", R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1,
     "more than 8 axes"},
    {"dtype_number", R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}})", 1,
     "holds a number where a string belongs"},
    {"dtype_list", R"({"a":{"dtype":[1],"shape":[1],"data_offsets":[0,1]}})", 1,
     "holds a list where a string belongs"},
    {"shape_string", R"({"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}})", 1,
     "holds a string where a list belongs"},
    {"shape_of_lists", R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", 1,
     "holds a list where an integer"},
    {"shape_of_objects", R"({"a":{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}})", 1,
     "holds an object where an integer"},
    {"shape_null", R"({"a":{"dtype":"U8","shape":null,"data_offsets":[0,1]}})", 1, "holds null"},
    {"shape_true", R"({"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}})", 1,
     "true or false"},
    {"tensor_number", R"({"a":1})", 0, "holds a number where an object belongs"},
    {"tensor_list", R"({"a":[]})", 0, "holds a list where an object belongs"},
    {"metadata_number", R"({"__metadata__":{"k":1}})", 0, "holds a number where a string belongs"},
    {"metadata_nested", R"({"__metadata__":{"k":{}}})", 0,
     "holds an object where a string belongs"},
    {"metadata_list", R"({"__metadata__":[]})", 0, "holds a list where an object belongs"},
    {"not_json", R"({"a" 1})", 0, "not valid JSON at byte 13"},
    {"two_documents", "{}{}", 0, "not valid JSON"},
    {"zero_padding", std::string_view("{}\0", 3), 0, "zero byte"},
    {"unfinished", R"({"a":{"dtype":"U8")", 0, "not valid JSON"},
    {"not_utf8", "{\"\xff\":{}}", 0, "not valid JSON"},
    {"control_in_name", "{\"a\n\":{}}", 0, "not valid JSON"},
};

TEST(SafetensorsHostile, EveryLieIsNamed) {
  for (const Hostile& hostile : kHostile) {
    SCOPED_TRACE(hostile.name);
    const Bytes file = safetensors_bytes(hostile.header, hostile.data);
    expect_error(ErrorKind::io, {"[evil]", hostile.says}, [&] { parse_safetensors(file, "evil"); });
  }
}

TEST(SafetensorsHostile, DeepNestingEndsAtOnce) {
  // A recursive parser would need 25 million frames.
  const std::string lists = "{\"a\":" + std::string(25'000'000, '[');
  expect_error(ErrorKind::io, {"holds a list where an object"},
               [&] { parse_safetensors(safetensors_bytes(lists, 0), "evil"); });
  std::string objects = "{";
  for (int i = 0; i < 1'000'000; ++i) objects += "\"dtype\":{";
  expect_error(ErrorKind::io, {"holds an object where a string"},
               [&] { parse_safetensors(safetensors_bytes(objects, 0), "evil"); });
}

TEST(SafetensorsHostile, TheHeaderSizeIsCheckedBeforeTheHeader) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100'000'001},
                                   std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    Bytes file = safetensors_bytes("{}", 0);
    std::memcpy(file.data(), &size, 8);
    expect_error(ErrorKind::io, {"state a header of " + std::to_string(size) + " bytes"},
                 [&] { parse_safetensors(file, "evil"); });
  }
  // Allowed by the limit, but beyond the file: sizes near it must not wrap either.
  for (const std::uint64_t size : {3u, 100'000'000u}) {
    Bytes file = safetensors_bytes("{}", 0);
    std::memcpy(file.data(), &size, 8);
    expect_error(ErrorKind::io,
                 {"is truncated: 10 bytes", "ends at byte " + std::to_string(size + 8)},
                 [&] { parse_safetensors(file, "evil"); });
  }
  expect_error(ErrorKind::io, {"byte 8 is 91", "expected 123"},
               [] { parse_safetensors(safetensors_bytes("[]", 0), "evil"); });
}

}  // namespace
}  // namespace ffn
