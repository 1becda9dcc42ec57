// The pre-norm Transformer block, written once for any feed-forward design.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ffn/base/philox.h"
#include "ffn/feedforward/registry.h"
#include "ffn/layers/norm_layer.h"
#include "ffn/layers/self_attention.h"

namespace ffn::inline v0 {

// sequential: h = x + A(n(x));  y = h + F(n'(h))
// parallel:   y = x + A(n(x)) + F(n(x)), one norm (PaLM: Chowdhery et al. 2022)
enum class BlockForm { sequential, parallel };

struct TransformerBlockConfig {
  BlockForm form = BlockForm::sequential;
  SelfAttentionConfig attention;
  FeedForwardSpec feed_forward;
  FeedForwardSite site;
  NormConfig norm;
  float drop_path = 0;           // probability that a sequence skips a branch in training
  RandomStream drop_streams[2];  // of the two branches
};

struct TransformerBlockNames {
  std::string norm_before, norm_after;
  SelfAttentionNames attention;
};

// A the attention, F the feed-forward layer, each behind drop path; x [N, D] → [N, D]. One segment:
// under MemoryMode::recompute only x is kept. Errors: config when a design that wants no norm
// stands in a parallel block.
class TransformerBlock {
 public:
  TransformerBlock(ParameterSet& parameters, const TransformerBlockNames& names,
                   const TransformerBlockConfig& config, const DesignRegistry& designs);

  Value forward(Executor& ex, Value x, std::int64_t sequences) const;
  const FeedForward& feed_forward() const { return *feed_forward_; }

 private:
  Value sequential(Executor& ex, const Value& x, std::int64_t sequences) const;
  Value parallel(Executor& ex, const Value& x, std::int64_t sequences) const;
  Value add_branch(Executor& ex, Value x, Value branch, int index, std::int64_t sequences) const;

  BlockForm form_;
  NormLayer norm_before_;
  SelfAttention attention_;
  BlockRule rule_;
  std::optional<NormLayer> norm_after_;
  std::unique_ptr<FeedForward> feed_forward_;
  float drop_path_;
  RandomStream drop_streams_[2];
};

}  // namespace ffn::inline v0
