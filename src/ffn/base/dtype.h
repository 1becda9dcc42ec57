// Element types and their storage sizes.
#pragma once

#include <cstdint>
#include <string_view>

namespace ffn::inline v0 {

// f32/bf16 compute on every device; f64 and c128 (complex double, for complex-step gradients) only
// on the reference device; f16 is storage; q4_0 and q8_0 are weight blocks along a row that
// products read, q4_1, q5_0, q4_k and q6_k blocks that are dequantised first (blocks.h).
enum class DType : std::uint8_t {
  f64,
  f32,
  bf16,
  f16,
  i32,
  u8,
  i8,
  q4_0,
  q4_1,
  q5_0,
  q8_0,
  q4_k,
  q6_k,
  c128
};

// Elements of a block of q4_0, q4_1, q5_0 and q8_0, and of q4_k and q6_k.
inline constexpr std::int64_t kQuantBlock = 32;
inline constexpr std::int64_t kSuperBlock = 256;

std::string_view to_string(DType dtype);
// Throws Error{config} for an unknown name.
DType parse_dtype(std::string_view name);

// Elements that are stored together: a row has a multiple of them. 1 for types that are no blocks.
constexpr std::int64_t block_elements(DType dtype) {
  switch (dtype) {
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q8_0: return kQuantBlock;
    case DType::q4_k:
    case DType::q6_k: return kSuperBlock;
    default: return 1;
  }
}

constexpr bool is_block(DType dtype) { return block_elements(dtype) > 1; }
constexpr bool is_float(DType dtype) {
  return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::bf16 ||
         dtype == DType::f16 || dtype == DType::c128;
}

// Bytes of `count` consecutive elements, a multiple of block_elements().
constexpr std::int64_t dtype_bytes(DType dtype, std::int64_t count) {
  switch (dtype) {
    case DType::c128: return 16 * count;
    case DType::f64: return 8 * count;
    case DType::f32:
    case DType::i32: return 4 * count;
    case DType::bf16:
    case DType::f16: return 2 * count;
    case DType::u8:
    case DType::i8: return count;
    case DType::q4_0: return count / kQuantBlock * 18;
    case DType::q4_1: return count / kQuantBlock * 20;
    case DType::q5_0: return count / kQuantBlock * 22;
    case DType::q8_0: return count / kQuantBlock * 34;
    case DType::q4_k: return count / kSuperBlock * 144;
    case DType::q6_k: return count / kSuperBlock * 210;
  }
  return 0;
}

// The type in which gradients of a parameter of this type are kept: never narrower than f32.
constexpr DType gradient_dtype(DType dtype) {
  return dtype == DType::f64 || dtype == DType::c128 ? dtype : DType::f32;
}

}  // namespace ffn::inline v0
