// Multi-head self-attention with its projections.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ffn/autograd/state.h"
#include "ffn/layers/linear_layer.h"
#include "ffn/layers/norm_layer.h"
#include "ffn/ops/attention.h"
#include "ffn/ops/rope.h"

namespace ffn::inline v0 {

// Where the projections stand in a checkpoint: "<query>.weight" and so on. A fused one stands under
// `query`.
struct SelfAttentionNames {
  std::string query, key, value, out;
  std::string query_norm = {}, key_norm = {};
};

// none; head: each head's W columns by themselves, one weight [W] for all heads (Gemma 3); whole:
// all heads' columns together (OLMoE).
enum class QkNorm { none, head, whole };

struct SelfAttentionConfig {
  std::int64_t width = 0;       // D
  std::int64_t head_width = 0;  // 0: D/heads
  bool qkv_bias = true;
  bool out_bias = true;
  bool fused = false;  // one map [(heads + 2·kv_heads)·W, D]: queries, keys, values, in that order
  QkNorm qk_norm = QkNorm::none;  // of queries and keys, before they turn
  NormConfig norm = {};           // that norm
  AttentionOptions attention = {};
  std::optional<RopeOptions> rope = {};  // of queries and keys; its heads are filled here
  RopeScaling rope_scaling = {};         // of its angles
  Init weight_init = {};
};

// Keys and values of the tokens that one layer has seen, [bound, kv_heads·W] each.
struct AttentionCache {
  State keys, values;
};

// y = Wo·attention(rope(n(Wq·x)), rope(n'(Wk·x)), Wv·x) + bo over each of `sequences` runs of rows
// of x [N, D] → [N, D]. Queries have heads·W columns, keys and values kv_heads·W, W the width of a
// head. Vaswani et al. 2017; Ainslie et al. 2023 (grouped heads); Su et al. 2021 (rotary
// positions); Dehghani et al. 2023 (norms of queries and keys).
// Errors: config when heads do not divide D and no width of a head is given, and those of rope().
class SelfAttention {
 public:
  SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                const SelfAttentionConfig& config);

  Value forward(Executor& ex, const Value& x, std::int64_t sequences) const;
  // The same over packed sequences: number s owns rows [offsets[s], offsets[s+1]) (see
  // attention()). Errors: config where rows turn by their position.
  Value forward_packed(Executor& ex, const Value& x, const Tensor& offsets) const;
  // The rows of one sequence that follow `position` others, whose keys and values are in the cache;
  // theirs are added to it. With a cache of another dtype than x's, attention runs in the cache's:
  // bf16 halves its memory, and rounds queries and results too. Errors: shape when the cache has no
  // room for them; config under a tape.
  Value extend(Executor& ex, const Value& x, AttentionCache& cache, std::int64_t position) const;
  // Rows of such a cache have so many numbers.
  std::int64_t cache_width() const { return kv_heads_ * head_width_; }

 private:
  // Of x: so many sequences, each behind `position` rows of a cache.
  struct Rows {
    std::int64_t sequences, position;
  };
  struct Projected {
    Value query, key, value;
  };
  // Queries and keys normed and turned.
  Projected project(Executor& ex, const Value& x, const Rows& rows) const;
  Value placed(Executor& ex, Value x, bool query, const Rows& rows) const;
  Value normed(Executor& ex, const NormLayer& norm, Value x, std::int64_t heads) const;

  AttentionOptions options_;
  std::int64_t kv_heads_, head_width_;
  std::optional<RopeOptions> rope_;
  QkNorm qk_norm_;
  std::vector<LinearLayer> in_;  // query, key and value, or all as one
  LinearLayer out_;
  std::optional<NormLayer> query_norm_, key_norm_;
};

}  // namespace ffn::inline v0
