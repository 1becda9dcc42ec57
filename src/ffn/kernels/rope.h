// Rotary positions: pairs of columns turn by an angle that grows with the row's position.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// Which columns of a head make pair i of R/2, R of them turning.
enum class RopeStyle : std::uint8_t {
  half,         // (i, i + R/2), as in LLaMA and Gemma
  interleaved,  // (2i, 2i + 1), as in GPT-J and PaLM
};

// Rows of x are heads of x.cols/heads columns side by side. In every head the first rotary_width
// columns R turn: pair i of row b·T + t by the angle ±(first_position + t)·f_i, f_i = theta^(−2i/R)
// or frequencies[i],
//   (a, b) → (a·cos − b·sin, b·cos + a·sin);
// the other columns pass. y (+)= that, x's shape; back turns the other way, which is both the
// inverse and the gradient. y may lie where x does, same dtype, when not accumulating. x, y f32 or
// bf16 (f64, c128 on the reference). Angles, cosines and sines are taken in double; the cpu rounds
// the latter to f32. Workspace: rope_workspace(T, R).
struct RopeArgs {
  ConstMatrix x;
  Matrix y;
  std::int64_t tokens = 1;  // T, rows per sequence
  std::int64_t heads = 1;
  std::int64_t rotary_width = 0;  // even
  std::int64_t first_position = 0;
  double theta = 10000;
  const double* frequencies = nullptr;  // [R/2], in place of theta
  RopeStyle style = RopeStyle::half;
  bool back = false;
  bool accumulate = false;
};

}  // namespace ffn::inline v0::kernels
