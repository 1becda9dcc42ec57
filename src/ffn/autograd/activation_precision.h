// In what precision products with quantised weights (blocks) take their activations.
#pragma once

#include <cstdint>
#include <string_view>

namespace ffn::inline v0 {

// f32        as they are: f32 or bf16, multiplied with values made of the blocks
// int8       every row in groups of 32 brought to 8 bits, multiplied as integers ("W4A8";
//            kernels/block_product.h): faster where weights come from memory, |error| of an
//            activation at most 1/254 of the largest in its group
// automatic  int8 for up to kDecodeRows rows at once, as in decoding; f32 for more, as in prompts,
//            where arithmetic takes the time and not memory
enum class ActivationPrecision : std::uint8_t { f32, int8, automatic };
inline constexpr std::int64_t kDecodeRows = 8;

constexpr bool takes_int8(ActivationPrecision precision, std::int64_t rows) {
  return precision == ActivationPrecision::int8 ||
         (precision == ActivationPrecision::automatic && rows <= kDecodeRows);
}

// "f32", "int8", "auto". Throws Error{config} for another name.
ActivationPrecision parse_activation_precision(std::string_view name);

}  // namespace ffn::inline v0
