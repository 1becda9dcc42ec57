// Sequences of tokens: x [B·T, D] holds B = `sequences` sequences of T rows.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y[b] = mean of the rows [first, first + count) of sequence b → [B, D] of x's dtype: global
// average pooling, which may skip the class token.
//   gradient   dx = dy[b]/count in those rows, 0 in the others
//   saved      nothing
// Errors: shape when rows are no multiple of sequences or the rows are not in a sequence; config
// when count < 1; dtype.
Value mean_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t first,
                  std::int64_t count);

// `token` [1, D] before the rows of every sequence → [B·(T + 1), D] (the class token, Devlin et al.
// 2019).
//   gradients  dtoken = Σ_b dy[b's first row], dx = the other rows
//   saved      nothing
//   scratch    backward: row_sum_workspace
// Errors: shape when rows are no multiple of sequences, token is not [1, D], or x has a leading
// dimension (that needs a copy); dtype.
Value prepend_token(Executor& ex, const Value& token, Value x, std::int64_t sequences);

// Row 0 of every sequence: a view [B, D]. Errors: shape as above.
Value first_token(Executor& ex, Value x, std::int64_t sequences);

}  // namespace ffn::inline v0
