// A causal language model: LLaMA's and Gemma's architecture, PaLM's parallel block, and any
// feed-forward design in their blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ffn/blocks/transformer_block.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

struct DecoderConfig {
  std::int64_t vocabulary = 256;
  std::int64_t tokens = 256;  // T of a training sequence; the longest that the model is made for
  std::int64_t width = 128, layers = 4, heads = 4;
  std::int64_t kv_heads = 0;    // 0: heads; 1: multi-query; between: grouped
  std::int64_t head_width = 0;  // 0: width/heads
  FeedForwardSpec feed_forward;
  bool feed_forward_bias = false, attention_bias = false;
  BlockForm form = BlockForm::sequential;
  float norm_eps = 1e-5f;
  float norm_offset = 0;          // the norms' weight is offset + w: 1 in Gemma
  bool scaled_embedding = false;  // embeddings times √D: Gemma
  double rope_theta = 1e4;
  bool tied_head = true;  // the head is the embedding's table
  float drop_path = 0;    // of the last block; block i of L has i/(L−1) of it

  std::int64_t key_value_heads() const { return kv_heads == 0 ? heads : kv_heads; }
  std::int64_t width_of_head() const { return head_width == 0 ? width / heads : head_width; }
};

// x₀ = E[ids] (·√D);  xᵢ = block(xᵢ₋₁), RMS norms and rotary positions;  logits = norm(x_L)·Headᵀ.
// Sources: Touvron et al. 2023 (LLaMA); Gemma Team 2024; Chowdhery et al. 2022 (PaLM). Weights
// carry the names of a LLaMA checkpoint; the parts of other designs than glu stand under "mlp." by
// theirs.
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
  const FeedForward& feed_forward(std::size_t layer) const { return blocks_[layer].feed_forward(); }
  const std::vector<StoredWeight>& stored_weights() const { return stored_; }

 private:
  DecoderConfig config_;
  Parameter* embedding_ = nullptr;
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
