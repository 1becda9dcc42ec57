// Multi-head self-attention with its four projections.
#pragma once

#include <string>

#include "ffn/layers/linear_layer.h"
#include "ffn/ops/attention.h"

namespace ffn::inline v0 {

// Where the projections stand in a checkpoint: "<query>.weight" and so on.
struct SelfAttentionNames {
  std::string query, key, value, out;
};

struct SelfAttentionConfig {
  std::int64_t width = 0;  // D, a multiple of the heads
  bool qkv_bias = true;
  bool out_bias = true;
  AttentionOptions attention;
  Init weight_init;
};

// y = Wo·attention(Wq·x, Wk·x, Wv·x) + bo over each of `sequences` runs of rows of x [N, D] → [N,
// D]. Keys and values have kv_heads·D/heads columns. Vaswani et al. 2017; Ainslie et al. 2023
// (grouped heads). Errors: config when heads do not divide D.
class SelfAttention {
 public:
  SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                const SelfAttentionConfig& config);

  Value forward(Executor& ex, const Value& x, std::int64_t sequences) const;

 private:
  AttentionOptions options_;
  LinearLayer query_, key_, value_, out_;
};

}  // namespace ffn::inline v0
