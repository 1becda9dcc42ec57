#include "ffn/base/error.h"

#include <gtest/gtest.h>

#include <string>

namespace ffn {
namespace {

TEST(Error, CarriesKindPlaceAndDetail) {
  try {
    fail(ErrorKind::shape, "linear", "x is [", 2, ", ", 3, "], w is [", 4, ", ", 5, "]");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::shape);
    EXPECT_EQ(error.where(), "linear");
    EXPECT_EQ(error.detail(), "x is [2, 3], w is [4, 5]");
    EXPECT_STREQ(error.what(), "[linear] x is [2, 3], w is [4, 5]");
  }
}

TEST(Error, CheckThrowsOnlyWhenFalse) {
  EXPECT_NO_THROW(check(true, ErrorKind::io, "file", "unused"));
  EXPECT_THROW(check(false, ErrorKind::io, "file", "truncated"), Error);
}

TEST(Error, KindNames) {
  EXPECT_EQ(to_string(ErrorKind::shape), "shape");
  EXPECT_EQ(to_string(ErrorKind::dtype), "dtype");
  EXPECT_EQ(to_string(ErrorKind::config), "config");
  EXPECT_EQ(to_string(ErrorKind::io), "io");
  EXPECT_EQ(to_string(ErrorKind::device), "device");
}

}  // namespace
}  // namespace ffn
