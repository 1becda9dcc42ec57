#include "ffn/base/dtype.h"

#include <array>
#include <cstddef>
#include <string>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 14> kNames = {"f64",  "f32",  "bf16", "f16",  "i32",
                                                     "u8",   "i8",   "q4_0", "q4_1", "q5_0",
                                                     "q8_0", "q4_k", "q6_k", "c128"};
static_assert(static_cast<std::size_t>(DType::c128) + 1 == kNames.size());

}  // namespace

std::string_view to_string(DType dtype) {
  const auto index = static_cast<std::size_t>(dtype);
  return index < kNames.size() ? kNames[index] : "unknown";
}

DType parse_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<DType>(i);
  }
  std::string known;
  for (const std::string_view each : kNames) known.append(known.empty() ? "" : ", ").append(each);
  fail(ErrorKind::config, "dtype", "unknown element type '", name, "'; known: ", known);
}

}  // namespace ffn::inline v0
