// A causal language model: the architecture of LLaMA, Mistral, Gemma, Mixtral, OLMoE, Qwen2-MoE,
// DeepSeekMoE and GPT-2, PaLM's parallel block, and any feed-forward design in their blocks.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ffn/blocks/transformer_block.h"
#include "ffn/models/decoder_cache.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

struct DecoderNames;

struct DecoderConfig {
  std::int64_t vocabulary = 256;
  std::int64_t tokens = 256;  // T of a training sequence; the longest that the model is made for
  std::int64_t width = 128, layers = 4, heads = 4;
  std::int64_t kv_heads = 0;     // 0: heads; 1: multi-query; between: grouped
  std::int64_t head_width = 0;   // 0: width/heads
  FeedForwardSpec feed_forward;  // of every layer but
  std::map<std::int64_t, FeedForwardSpec> other_feed_forward = {};  // these: dense among experts
  bool feed_forward_bias = false, attention_bias = false;
  bool qkv_bias = false;  // of queries, keys and values, also where attention_bias is false
  BlockForm form = BlockForm::sequential;
  NormKind norm = NormKind::rms;
  float norm_eps = 1e-5f;
  float norm_offset = 0;          // the norms' weight is offset + w: 1 in Gemma
  bool branch_norms = false;      // what a branch adds is normed too: Gemma 3
  bool scaled_embedding = false;  // embeddings times √D: Gemma
  QkNorm qk_norm = QkNorm::none;
  double query_scale_width = 0;  // scores are divided by its root; 0: by that of a head's width
  float attention_cap = 0, logit_cap = 0;  // > 0: cap·tanh(s/cap) of scores, of logits
  std::int64_t window = 0;                 // > 0: local layers see so many keys
  std::vector<bool> local_layers = {};     // which those are; empty: all
  double rope_theta = 1e4;
  RopeScaling rope_scaling = {};
  double local_rope_theta = 0;             // > 0: of local layers, whose angles are not scaled
  RopeStyle rope_style = RopeStyle::half;  // of the pairs that turn together
  bool learned_positions = false;  // a table [tokens, D] in place of rotary positions: GPT-2
  bool tied_head = true;           // the head is the embedding's table
  float drop_path = 0;             // of the last block; block i of L has i/(L−1) of it
  std::string names = "llama";     // DecoderNames of the weights

  std::int64_t key_value_heads() const { return kv_heads == 0 ? heads : kv_heads; }
  std::int64_t width_of_head() const { return head_width == 0 ? width / heads : head_width; }
  bool is_local(std::int64_t layer) const {
    return window > 0 && (local_layers.empty() || local_layers[static_cast<std::size_t>(layer)]);
  }
  const FeedForwardSpec& feed_forward_of(std::int64_t layer) const {
    const auto other = other_feed_forward.find(layer);
    return other == other_feed_forward.end() ? feed_forward : other->second;
  }

  friend bool operator==(const DecoderConfig&, const DecoderConfig&) = default;
};

// x₀ = E[ids] (·√D, + positions);  xᵢ = block(xᵢ₋₁);  logits = norm(x_L)·Headᵀ (capped).
// Sources: Touvron et al. 2023 (LLaMA); Gemma Team 2024; Chowdhery et al. 2022 (PaLM); those of the
// families' files. Weights carry the checkpoint's names (DecoderNames); the parts of designs that
// the family has not stand under its feed-forward layer's name by theirs.
class Decoder {
 public:
  // Adds all weights to `parameters`, which must outlive the model; call finalize() and
  // initialize_all() or read a checkpoint afterwards. `seed` keys the streams of drop path.
  // Errors: config when sizes do not divide or the design refuses its site.
  Decoder(const DecoderConfig& config, ParameterSet& parameters, std::uint64_t seed,
          const DesignRegistry& designs);

  const DecoderConfig& config() const { return config_; }
  // ids i32 [B·T] of `sequences` sequences → [B·T, vocabulary] in the compute dtype; row t knows
  // ids 0 … t of its sequence. Errors: shape; an id outside the vocabulary.
  Value logits(Executor& ex, const Tensor& ids, std::int64_t sequences) const;

  // ids i32 [T], T ≥ 1, that follow the tokens of the cache → the last one's hidden state behind
  // the last norm [1, D], or its logits [1, vocabulary]; never those of the others. The same as
  // logits() of the whole sequence gives for that row, but for how sums over other numbers of rows
  // round. Without a tape. Errors: shape when the cache's bound is exceeded, or the positions that
  // a model has learned; config for a design that mixes tokens, which cannot go on one by one.
  Value last_hidden(Executor& ex, const Tensor& ids, DecoderCache& cache) const;
  Value last_logits(Executor& ex, const Tensor& ids, DecoderCache& cache) const;
  // The logits of every id, [T, vocabulary]: for few ids at a time.
  Value all_logits(Executor& ex, const Tensor& ids, DecoderCache& cache) const;

  const FeedForward& feed_forward(std::size_t layer) const { return blocks_[layer].feed_forward(); }
  const std::vector<StoredWeight>& stored_weights() const { return stored_; }

 private:
  void add_embeddings(ParameterSet& parameters, const DecoderNames& names);
  void collect_stored(ParameterSet& parameters, const DecoderNames& names);
  // The first block's input, of rows behind `position` others.
  Value embed(Executor& ex, const Tensor& ids, std::int64_t sequences, std::int64_t position) const;
  Value head(Executor& ex, Value x) const;
  // The last block's rows of ids that follow the cache's.
  Value extend(Executor& ex, const Tensor& ids, DecoderCache& cache) const;

  DecoderConfig config_;
  const ParameterSet* parameters_;
  Parameter* embedding_ = nullptr;
  Parameter* positions_ = nullptr;  // null: rotary ones
  std::vector<TransformerBlock> blocks_;
  std::unique_ptr<NormLayer> norm_;
  std::unique_ptr<LinearLayer> head_;  // null: tied
  std::vector<StoredWeight> stored_;
};

// Where a design stands in such a model; layer names are left as they are.
FeedForwardSite feed_forward_site(const DecoderConfig& config);

// lm-pico, -nano, -micro, -small and lm-124m, the shape of the smallest GPT-2 with a table of bytes
// in place of its 50257 words. The caller sets the vocabulary from its data, and the design.
// Errors: config for another name (the nearest one is named).
DecoderConfig decoder_preset(std::string_view name);
std::vector<std::string_view> decoder_preset_names();

}  // namespace ffn::inline v0
