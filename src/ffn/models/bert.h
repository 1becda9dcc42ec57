// BERT as an encoder of texts (MiniLM's sentence encoders among them), with any feed-forward design
// that takes every token by itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/blocks/transformer_block.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

struct BertConfig {
  std::int64_t vocabulary = 30522, tokens = 512, types = 2;  // tokens: the longest text
  std::int64_t width = 384, layers = 6, heads = 12;
  FeedForwardSpec feed_forward;
  float norm_eps = 1e-12f;
};

// x₀ = norm(E[ids] + P[position in its text] + S[type]);  xᵢ = block(xᵢ₋₁), norms behind the sums.
// Every token sees its whole text. Sources: Devlin et al. 2019; Wang et al. 2020 (MiniLM). Weights
// carry the names of a Hugging Face checkpoint, with "bert." before them or without.
class Bert {
 public:
  // Adds all weights to `parameters`, which must outlive the model; call finalize() and read a
  // checkpoint, or place_weights(), afterwards. Errors: config when sizes do not divide or the
  // design mixes tokens.
  Bert(const BertConfig& config, ParameterSet& parameters, const DesignRegistry& designs);

  const BertConfig& config() const { return config_; }
  // Texts one after another without padding: ids i32 [N], text s in rows [offsets[s],
  // offsets[s+1]), offsets i32 [S+1] from 0 to N; types i32 [N] or undefined for all 0 → hidden
  // states [N, D] in the compute dtype. Errors: shape for a text longer than the model's tokens, an
  // id outside the vocabulary, offsets that are no partition.
  Value hidden(Executor& ex, const Tensor& ids, const Tensor& offsets,
               const Tensor& types = {}) const;
  const FeedForward& feed_forward(std::size_t layer) const { return blocks_[layer].feed_forward(); }
  const std::vector<StoredWeight>& stored_weights() const { return stored_; }

 private:
  Value embed(Executor& ex, const Tensor& ids, const Tensor& offsets, const Tensor& types) const;

  BertConfig config_;
  const ParameterSet* parameters_;
  Parameter *words_, *positions_, *types_;
  std::unique_ptr<NormLayer> norm_;
  std::vector<TransformerBlock> blocks_;
  std::vector<StoredWeight> stored_;
};

// config.json with model_type "bert". Errors: io naming the key; a design that transformers has not
// cannot be written: config.
BertConfig parse_bert_config(std::string_view json, std::string_view where);
BertConfig read_bert_config(const std::string& folder);
std::string bert_config_json(const BertConfig& config);

// Ends of names that files of such a model hold beside the encoder's weights: buffers, the pooler
// and the heads that it was trained with.
std::vector<std::string_view> bert_harmless_names();

}  // namespace ffn::inline v0
