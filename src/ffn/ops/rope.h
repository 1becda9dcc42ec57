// Rotary positions of queries and keys.
#pragma once

#include <memory>
#include <vector>

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// half: pairs (i, i + R/2), as in LLaMA and Gemma; interleaved: (2i, 2i + 1), as in GPT-J and PaLM.
using kernels::RopeStyle;

// Angles stretched for sequences longer than those that a model was first trained with.
//   linear   f_i/factor (position interpolation, Chen et al. 2023)
//   llama3   with w = original_tokens·f_i/2π turns within the first length: f_i where w > high,
//            f_i/factor where w < low, else s·f_i + (1 − s)·f_i/factor, s = (w − low)/(high − low)
struct RopeScaling {
  enum class Kind : std::uint8_t { none, linear, llama3 };
  Kind kind = Kind::none;
  double factor = 1;
  double low = 1, high = 4;  // low_freq_factor and high_freq_factor of a LLaMA 3.1 configuration
  std::int64_t original_tokens = 8192;

  friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

// f_i = theta^(−2i/R) of the R/2 pairs, scaled. Errors: config for an odd R, a theta or factor that
// is not positive and finite, or high ≤ low.
std::vector<double> rope_frequencies(double theta, std::int64_t rotary_width,
                                     const RopeScaling& scaling);

struct RopeOptions {
  std::int64_t heads = 1;
  double theta = 10000;             // base of the angles
  std::int64_t rotary_width = 0;    // columns R of a head that turn, even; 0: all of them
  std::int64_t first_position = 0;  // of the first row of every sequence: the length of a cache
  RopeStyle style = RopeStyle::half;
  // Of the R/2 pairs, as rope_frequencies() makes them once; null: theta^(−2i/R).
  std::shared_ptr<const std::vector<double>> frequencies = nullptr;
};

// In each head, pair i of the first R columns turns by the angle p·f_i, f_i = theta^(−2i/R), at
// position p = first_position + row of its sequence: (a, b) → (a·cos − b·sin, b·cos + a·sin); other
// columns pass. x [B·T, heads·W] of `sequences` sequences, any leading dimension → x's shape and
// dtype; may lie where x was.
//   dtypes     f32 or bf16, turned in f32; f64 or c128 on the reference device
//   gradients  dx = dy turned back, in place over dy
//   saved      nothing
//   scratch    rope_workspace(T, R), either way: cosines and sines [T, R/2], f32
//   flops      none counted
// Errors: shape when rows are no multiple of `sequences` or heads do not divide the columns; config
// for heads < 1, an odd R or R > W, theta that is not positive and finite, a first position below 0
// or above 2^40, or frequencies of another number. Su et al. 2021 (RoFormer); angles are taken in
// double, where others round them to f32.
Value rope(Executor& ex, Value x, std::int64_t sequences, const RopeOptions& options);

}  // namespace ffn::inline v0
