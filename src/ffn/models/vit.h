// Vision Transformer (ViT) and DeiT, with any feed-forward design in their blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ffn/blocks/transformer_block.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

enum class Pool { class_token, mean };

// Square images of square patches. Tokens T = prefix + (image_size/patch)²; the prefix holds the
// class token (Pool::class_token), then DeiT's distillation token.
struct VitConfig {
  std::int64_t image_size = 224, patch = 16, channels = 3;
  std::int64_t width = 192, layers = 12, heads = 3;
  std::int64_t classes = 1000;
  FeedForwardSpec feed_forward;
  Pool pool = Pool::class_token;
  bool distillation_token = false;  // DeiT: a second prefix token, seen by attention
  bool teacher_head = false;        // DeiT with teacher: logits = mean of the heads of both tokens
  bool qkv_bias = true;
  float norm_eps = 1e-6f;
  float drop_path = 0;  // of the last block; block i of L has i/(L−1) of it

  std::int64_t grid() const { return image_size / patch; }
  std::int64_t prefix() const {
    return (pool == Pool::class_token ? 1 : 0) + (distillation_token ? 1 : 0);
  }
  std::int64_t tokens() const { return prefix() + grid() * grid(); }
};

// x₀ = [tokens of the prefix | patches·Wᵀ + b] + positions;  xᵢ = block(xᵢ₋₁);
// logits = classifier(norm(x_L)) of the class token, or norm before the mean over all patches.
// Sources: Dosovitskiy et al. 2021; Touvron et al. 2021 (DeiT). Weights carry the names of a
// Hugging Face checkpoint; those of other designs than mlp(act) are named beside them.
class VisionTransformer {
 public:
  // Adds all weights to `parameters`, which must outlive the model; call finalize() and
  // initialize_all() or read a checkpoint afterwards. `seed` keys the streams of drop path.
  // Errors: config when sizes do not divide or the design refuses its site.
  VisionTransformer(const VitConfig& config, ParameterSet& parameters, std::uint64_t seed,
                    const DesignRegistry& designs);

  const VitConfig& config() const { return config_; }
  // images [B, C·S·S] (planes, any float dtype) → [B, classes] in the compute dtype.
  Value logits(Executor& ex, Value images) const;
  const FeedForward& feed_forward(std::size_t layer) const { return blocks_[layer].feed_forward(); }
  // Every weight with the shape it has in a checkpoint file.
  const std::vector<StoredWeight>& stored_weights() const { return stored_; }

 private:
  void add_embeddings(ParameterSet& parameters);
  Value embed(Executor& ex, Value images) const;
  void collect_stored(ParameterSet& parameters);

  VitConfig config_;
  std::string base_;  // "vit." or "deit."
  Parameter* class_token_ = nullptr;
  Parameter* distillation_token_ = nullptr;
  Parameter* positions_ = nullptr;
  Parameter* patch_weight_ = nullptr;
  Parameter* patch_bias_ = nullptr;
  std::vector<TransformerBlock> blocks_;
  std::unique_ptr<LayerNormLayer> norm_;
  std::unique_ptr<LinearLayer> classifier_, distillation_classifier_;
  std::vector<StoredWeight> stored_;
};

// Where a design stands in such a model; layer names are left as they are.
FeedForwardSite feed_forward_site(const VitConfig& config);

// Width, layers, heads and pooling of vit-pico, -micro and -nano, deit-pico, -tiny, -small. The
// caller sets image_size, patch, channels and classes from its data, and the design. Errors: config
// for another name (the nearest one is named).
VitConfig vit_preset(std::string_view name);
std::vector<std::string_view> vit_preset_names();

}  // namespace ffn::inline v0
