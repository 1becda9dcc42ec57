// What a score measures.
#pragma once

#include <cstdint>
#include <span>

namespace ffn::inline v0 {

enum class Measure { accuracy, bits_per_byte };
double document_standard_error(std::span<const double> losses,
                               std::span<const std::int32_t> counts);

}  // namespace ffn::inline v0
