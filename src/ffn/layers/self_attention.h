// Multi-head self-attention with its four projections.
#pragma once

#include <optional>
#include <string>

#include "ffn/layers/linear_layer.h"
#include "ffn/ops/attention.h"
#include "ffn/ops/rope.h"

namespace ffn::inline v0 {

// Where the projections stand in a checkpoint: "<query>.weight" and so on.
struct SelfAttentionNames {
  std::string query, key, value, out;
};

struct SelfAttentionConfig {
  std::int64_t width = 0;       // D
  std::int64_t head_width = 0;  // 0: D/heads
  bool qkv_bias = true;
  bool out_bias = true;
  AttentionOptions attention = {};
  std::optional<RopeOptions> rope = {};  // of queries and keys; its heads are filled here
  Init weight_init = {};
};

// y = Wo·attention(rope(Wq·x), rope(Wk·x), Wv·x) + bo over each of `sequences` runs of rows of x
// [N, D] → [N, D]. Queries have heads·W columns, keys and values kv_heads·W, W the width of a head.
// Vaswani et al. 2017; Ainslie et al. 2023 (grouped heads); Su et al. 2021 (rotary positions).
// Errors: config when heads do not divide D and no width of a head is given, and those of rope().
class SelfAttention {
 public:
  SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                const SelfAttentionConfig& config);

  Value forward(Executor& ex, const Value& x, std::int64_t sequences) const;

 private:
  Value turned(Executor& ex, Value x, std::int64_t sequences, std::int64_t heads) const;

  AttentionOptions options_;
  std::optional<RopeOptions> rope_;
  LinearLayer query_, key_, value_, out_;
};

}  // namespace ffn::inline v0
