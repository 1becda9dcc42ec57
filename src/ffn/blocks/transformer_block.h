// The pre-norm Transformer block, written once for any feed-forward design.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ffn/base/philox.h"
#include "ffn/feedforward/registry.h"
#include "ffn/layers/layer_norm_layer.h"
#include "ffn/layers/self_attention.h"

namespace ffn::inline v0 {

struct TransformerBlockConfig {
  SelfAttentionConfig attention;
  FeedForwardSpec feed_forward;
  FeedForwardSite site;
  float norm_eps = 1e-6f;
  float drop_path = 0;           // probability that a sequence skips a branch in training
  RandomStream drop_streams[2];  // of the two branches
};

struct TransformerBlockNames {
  std::string norm_before, norm_after;
  SelfAttentionNames attention;
};

// h = x + drop_path(attention(norm_before(x)));  y = h + drop_path(feed_forward(norm_after(h)))
// x [N, D] → [N, D]. One segment: under MemoryMode::recompute only x is kept.
class TransformerBlock {
 public:
  TransformerBlock(ParameterSet& parameters, const TransformerBlockNames& names,
                   const TransformerBlockConfig& config, const DesignRegistry& designs);

  Value forward(Executor& ex, Value x, std::int64_t sequences) const;
  const FeedForward& feed_forward() const { return *feed_forward_; }

 private:
  Value body(Executor& ex, const Value& x, std::int64_t sequences) const;
  Value add_branch(Executor& ex, Value x, Value branch, int index, std::int64_t sequences) const;

  LayerNormLayer norm_before_;
  SelfAttention attention_;
  BlockRule rule_;
  std::optional<LayerNormLayer> norm_after_;
  std::unique_ptr<FeedForward> feed_forward_;
  float drop_path_;
  RandomStream drop_streams_[2];
};

}  // namespace ffn::inline v0
