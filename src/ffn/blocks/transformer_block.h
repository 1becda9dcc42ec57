// The Transformer block, written once for any feed-forward design.
#pragma once

#include <functional>
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
// post_norm:  h = n(x + A(x));  y = n'(h + F(h)) (Vaswani et al. 2017, BERT)
// Where the names have norms of the branches, A is n_A(A) and F is n_F(F) (Gemma 2).
enum class BlockForm { sequential, parallel, post_norm };

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
  std::string norm_before, norm_after;  // n and n'
  SelfAttentionNames attention;
  std::string norm_of_attention = {}, norm_of_feed_forward = {};  // n_A and n_F; empty: none
};

// A the attention, F the feed-forward layer, each behind drop path; x [N, D] → [N, D]. One segment:
// under MemoryMode::recompute only x is kept. Errors: config when a design that wants no norm
// stands in another block than a sequential one.
class TransformerBlock {
 public:
  TransformerBlock(ParameterSet& parameters, const TransformerBlockNames& names,
                   const TransformerBlockConfig& config, const DesignRegistry& designs);

  Value forward(Executor& ex, Value x, std::int64_t sequences) const;
  // Packed sequences, number s in rows [offsets[s], offsets[s+1]): see
  // SelfAttention::forward_packed(). For inference, and designs that take every token by itself.
  Value forward_packed(Executor& ex, const Value& x, const Tensor& offsets) const;
  // The rows of one sequence that follow `position` others: see SelfAttention::extend(). Exact for
  // designs that take every token by itself (FeedForward::mixes_tokens()).
  Value extend(Executor& ex, const Value& x, AttentionCache& cache, std::int64_t position) const;
  const FeedForward& feed_forward() const { return *feed_forward_; }
  const SelfAttention& attention() const { return attention_; }

 private:
  // A by itself: of whole sequences, or of rows that follow others.
  using Attend = std::function<Value(Executor&, const Value&)>;

  Value run(Executor& ex, const Value& x, std::int64_t sequences, const Attend& attend) const;
  Value sequential(Executor& ex, const Value& x, std::int64_t sequences,
                   const Attend& attend) const;
  Value parallel(Executor& ex, const Value& x, std::int64_t sequences, const Attend& attend) const;
  Value post_norm(Executor& ex, const Value& x, std::int64_t sequences, const Attend& attend) const;
  Value attended(Executor& ex, const Value& x, const Attend& attend) const;
  Value changed(Executor& ex, Value x, std::int64_t sequences) const;
  Value add_branch(Executor& ex, Value x, Value branch, int index, std::int64_t sequences) const;

  BlockForm form_;
  NormLayer norm_before_;
  SelfAttention attention_;
  BlockRule rule_;
  std::optional<NormLayer> norm_after_, norm_of_attention_, norm_of_feed_forward_;
  std::unique_ptr<FeedForward> feed_forward_;
  float drop_path_;
  RandomStream drop_streams_[2];
};

}  // namespace ffn::inline v0
