#include "ffn/base/dtype.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "ffn/base/error.h"

namespace ffn {
namespace {

// Name and bytes of 64 elements, written out by hand.
struct Row {
  DType dtype;
  const char* name;
  std::int64_t bytes_of_64;
  bool block, floating;
  DType gradient;
};
constexpr Row kRows[] = {
    {DType::f64, "f64", 512, false, true, DType::f64},
    {DType::f32, "f32", 256, false, true, DType::f32},
    {DType::bf16, "bf16", 128, false, true, DType::f32},
    {DType::f16, "f16", 128, false, true, DType::f32},
    {DType::i32, "i32", 256, false, false, DType::f32},
    {DType::u8, "u8", 64, false, false, DType::f32},
    {DType::i8, "i8", 64, false, false, DType::f32},
    {DType::q4_0, "q4_0", 36, true, false, DType::f32},
    {DType::q8_0, "q8_0", 68, true, false, DType::f32},
    {DType::c128, "c128", 1024, false, true, DType::c128},
};

TEST(DType, TableOfTypes) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(to_string(row.dtype), row.name);
    EXPECT_EQ(parse_dtype(row.name), row.dtype);
    EXPECT_EQ(dtype_bytes(row.dtype, 64), row.bytes_of_64);
    EXPECT_EQ(dtype_bytes(row.dtype, 0), 0);
    EXPECT_EQ(is_block(row.dtype), row.block);
    EXPECT_EQ(is_float(row.dtype), row.floating);
    EXPECT_EQ(gradient_dtype(row.dtype), row.gradient);
  }
}

TEST(DType, UnknownNamesAreConfigErrors) {
  for (const char* name : {"", "F32", "f32 ", "float32", "f3", "q4_1"}) {
    try {
      parse_dtype(name);
      FAIL() << "accepted '" << name << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_NE(error.detail().find("'" + std::string(name) + "'"), std::string::npos);
      EXPECT_NE(error.detail().find("bf16"), std::string::npos) << "the message lists known names";
    }
  }
}

}  // namespace
}  // namespace ffn
