// Scaled dot-product attention over heads that lie side by side in a row.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

struct AttentionOptions {
  std::int64_t heads = 1;
  std::int64_t kv_heads = 0;  // 0: heads; otherwise divides heads (grouped-query)
  float scale = 0;            // 0: 1/√(head width)
  bool causal = false;        // query i sees keys j ≤ i + (Tk − Tq)
  // > 0: only the last `window` visible keys (causal: p − window < j for p = i + (Tk − Tq));
  // without causal |p − j| < window
  std::int64_t window = 0;
  float logit_cap = 0;  // > 0: s = cap·tanh(s/cap) before the mask
};

// y_i = Σ_j softmax_j(scale·q_i·k_j)·v_j per head and sequence, over the keys j that i sees; query
// head h reads key head h·kv_heads/heads; a query that sees no key gives 0. q [B·Tq, heads·W], k
// and v [B·Tk, kv_heads·W], any leading dimension → [B·Tq, heads·W] of q's shape and dtype; may lie
// where q was.
//   dtypes     f32 or bf16, f64 or c128 on the reference device; q, k and v alike
//   gradients  p = exp(s − lse), ds = p ⊙ (dy·vᵀ − Σ_j p ⊙ dy·vᵀ)·(1 − (s/cap)² if capped):
//              dq = scale·ds·k, in place over dy; dk = scale·dsᵀ·q; dv = pᵀ·dy
//   saved      q, k, lse [B·Tq, heads] f32 (f64, c128 on the reference), v if dq or dk is wanted;
//              the probabilities are computed again
//   scratch    attention_workspace, attention_backward_workspace: per thread, a key head's keys and
//              values and a block of scores
//   flops      4·B·heads·Tq·Tk·W forward, 2.5 times that backward: an upper bound under a mask
// Errors: shape when rows are no multiple of `sequences`, k and v differ, or heads do not divide
// the columns; dtype when q, k, v differ; config for options out of range. Dao et al. 2022
// (FlashAttention), whole score rows in place of the running maximum; Ainslie et al. 2023 (GQA);
// cap: Gemma 2.
Value attention(Executor& ex, Value q, Value k, Value v, std::int64_t sequences,
                const AttentionOptions& options);

// The same over packed sequences of different lengths: sequence s owns rows [offsets[s],
// offsets[s+1]) of q, k and v alike, offsets i32 [S+1] ascending from 0 to the number of rows.
//   saved      offsets too
//   scratch    bounded as if one sequence had all rows; so are the flops
// Errors: as above, and shape when q and k differ in rows or offsets, where the host can read them,
// are no partition of the rows. Dehghani et al. 2023 (NaViT).
Value attention(Executor& ex, Value q, Value k, Value v, const Tensor& offsets,
                const AttentionOptions& options);

}  // namespace ffn::inline v0
