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

// The rows [first, first + count) of every sequence → [B·count, D], a copy; x itself when these are
// all its rows.
//   gradient   dx = dy in those rows, 0 in the others
//   saved      nothing
// Errors: shape when rows are no multiple of sequences, the rows are not in a sequence, or x has a
// leading dimension (that needs a copy); dtype.
Value take_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t first,
                  std::int64_t count);

// Every sequence between `before` and `after` rows of zeros → [B·(before + T + after), D]; x itself
// when both are 0.
//   gradient   dx = take_tokens of dy
//   saved      nothing
// Errors: shape as above; config for negative numbers of rows; dtype.
Value pad_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t before,
                 std::int64_t after);

// Every sequence's rows of a, then its rows of b → [B·(T_a + T_b), D]: reshapes and concat_cols.
//   gradients  da, db = their rows of dy
//   saved      nothing
// Errors: shape as above or when columns differ; dtype.
Value join_tokens(Executor& ex, Value a, Value b, std::int64_t sequences);

// y = x with the rows [first, first + count) of sequence b multiplied by gate[b, :], gate [B, D].
//   gradients  dx = dy ⊙ gate in those rows, dy in the others; dgate[b] = Σ dy ⊙ x over those rows
//   saved      x if dgate is wanted, gate if dx is wanted
// Errors: shape when rows are no multiple of sequences, the rows are not in a sequence, or gate is
// not [B, D]; dtype when x and gate differ.
Value gate_tokens(Executor& ex, Value x, Value gate, std::int64_t sequences, std::int64_t first,
                  std::int64_t count);

// Row 0 of every sequence: a view [B, D]. Errors: shape as above.
Value first_token(Executor& ex, Value x, std::int64_t sequences);

}  // namespace ffn::inline v0
