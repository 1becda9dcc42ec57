// The element types of safetensors; shared by its reader and writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ffn/base/dtype.h"

namespace ffn::inline v0 {

struct SafetensorsType {
  std::string_view name;
  std::int64_t element_bytes;
  std::optional<DType> dtype;
};

inline constexpr SafetensorsType kSafetensorsTypes[] = {
    {"F32", 4, DType::f32},       {"BF16", 2, DType::bf16},     {"F16", 2, DType::f16},
    {"F64", 8, DType::f64},       {"I32", 4, DType::i32},       {"U8", 1, DType::u8},
    {"I8", 1, DType::i8},         {"BOOL", 1, std::nullopt},    {"I64", 8, std::nullopt},
    {"I16", 2, std::nullopt},     {"U16", 2, std::nullopt},     {"U32", 4, std::nullopt},
    {"U64", 8, std::nullopt},     {"C64", 8, std::nullopt},     {"F8_E5M2", 1, std::nullopt},
    {"F8_E4M3", 1, std::nullopt}, {"F8_E8M0", 1, std::nullopt},
};

}  // namespace ffn::inline v0
