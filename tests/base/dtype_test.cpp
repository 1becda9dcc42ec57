#include "ffn/base/dtype.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "ffn/base/error.h"

namespace ffn {
namespace {

// Name, bytes of 256 elements and elements of a block, written out by hand.
struct Row {
  DType dtype;
  const char* name;
  std::int64_t bytes_of_256, block;
  bool floating;
  DType gradient;
};
constexpr Row kRows[] = {
    {DType::f64, "f64", 2048, 1, true, DType::f64},
    {DType::f32, "f32", 1024, 1, true, DType::f32},
    {DType::bf16, "bf16", 512, 1, true, DType::f32},
    {DType::f16, "f16", 512, 1, true, DType::f32},
    {DType::i32, "i32", 1024, 1, false, DType::f32},
    {DType::u8, "u8", 256, 1, false, DType::f32},
    {DType::i8, "i8", 256, 1, false, DType::f32},
    {DType::q4_0, "q4_0", 8 * 18, 32, false, DType::f32},
    {DType::q4_1, "q4_1", 8 * 20, 32, false, DType::f32},
    {DType::q5_0, "q5_0", 8 * 22, 32, false, DType::f32},
    {DType::q8_0, "q8_0", 8 * 34, 32, false, DType::f32},
    {DType::q4_k, "q4_k", 144, 256, false, DType::f32},
    {DType::q6_k, "q6_k", 210, 256, false, DType::f32},
    {DType::c128, "c128", 4096, 1, true, DType::c128},
};

TEST(DType, TableOfTypes) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(to_string(row.dtype), row.name);
    EXPECT_EQ(parse_dtype(row.name), row.dtype);
    EXPECT_EQ(dtype_bytes(row.dtype, 256), row.bytes_of_256);
    EXPECT_EQ(block_elements(row.dtype), row.block);
    EXPECT_EQ(dtype_bytes(row.dtype, 0), 0);
    EXPECT_EQ(is_block(row.dtype), row.block > 1);
    EXPECT_EQ(is_float(row.dtype), row.floating);
    EXPECT_EQ(gradient_dtype(row.dtype), row.gradient);
  }
}

TEST(DType, UnknownNamesAreConfigErrors) {
  for (const char* name : {"", "F32", "f32 ", "float32", "f3", "q4_K", "q5_1"}) {
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
