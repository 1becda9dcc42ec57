// How a model's weights are made.
#pragma once

#include <cstdint>

#include "ffn/base/dtype.h"

namespace ffn::inline v0 {

struct ModelOptions {
  DType dtype = DType::f32;  // f32 or bf16; f64 on the reference device
  std::uint64_t seed = 0;    // of the weights' first values and of drop path
  bool gradients = false;    // also room for gradients: 4 bytes a parameter
};

}  // namespace ffn::inline v0
