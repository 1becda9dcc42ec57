// Scaled dot-product attention of one or more sequences, forward and backward, without the [Tq, Tk]
// probabilities ever leaving the workspace (Dao et al. 2022, FlashAttention).
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// How scores are made and which keys a query sees. W = columns of q / heads; query head h reads key
// head h·kv_heads/heads. Query i of Tq stands at key position p = i + Tk − Tq and sees key j < Tk
//   if causal: j ≤ p;  and if window > 0: j > p − window, without causal also j < p + window.
struct AttentionRule {
  std::int64_t heads = 1, kv_heads = 1;
  float scale = 1;
  bool causal = false;
  std::int64_t window = 0;
  float logit_cap = 0;  // > 0: s becomes cap·tanh(s/cap)
};

// The rows of sequence s: with offsets, rows [offsets[s], offsets[s+1]) of q, k and v alike;
// without, the s-th of `sequences` equal parts of q's rows and of k's.
struct AttentionForwardArgs {
  ConstMatrix q, k, v;  // [Nq, heads·W], [Nk, kv_heads·W] twice
  // s_ij = scale·q_i·k_j per head, capped; y_i = Σ_j exp(s_ij − lse_i)·v_j over the visible keys;
  // lse_i = log Σ_j exp s_ij. A query that sees no key gets y = 0 and lse = 0. y may be q.
  Matrix y, lse;  // [Nq, heads·W]; [Nq, heads] f32 (f64, c128 on the reference), may be absent
  const std::int32_t* offsets = nullptr;
  std::int64_t sequences = 1;
  AttentionRule rule;
};
// p_ij = exp(s_ij − lse_i), dp_ij = dy_i·v_j, ds_ij = p_ij·(dp_ij − Σ_j p_ij·dp_ij)·(1 −
// (s_ij/cap)² if capped): dq_i (+)= scale·Σ_j ds_ij·k_j, dk_j (+)= scale·Σ_i ds_ij·q_i, dv_j (+)=
// Σ_i p_ij·dy_i. All three optional; sums over i include the query heads that share j. dq may be dy
// (overwrite).
struct AttentionBackwardArgs {
  ConstMatrix q, k, v;  // v absent where only dv is wanted
  ConstMatrix lse, dy;
  GradMatrix dq, dk, dv;
  const std::int32_t* offsets = nullptr;
  std::int64_t sequences = 1;
  AttentionRule rule;
};

// What workspaces depend on. Of ragged sequences only the sum of lengths is known: queries = keys =
// all rows.
struct AttentionShape {
  std::int64_t sequences, queries, keys;  // of the longest sequence
  std::int64_t heads, kv_heads, width;
  bool lse = false;  // it is wanted: backward will make these scores again, bit for bit
};

}  // namespace ffn::inline v0::kernels
