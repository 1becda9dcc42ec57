#include "ffn/models/vit.h"

#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/layers/patch_embedding.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/tokens.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

constexpr Init kWeightInit{Init::Kind::truncated_normal, 0, 0.02};
constexpr Init kTokenInit{Init::Kind::normal, 0, 1e-6};

void check_config(const VitConfig& c) {
  check(c.width > 0 && c.layers > 0 && c.heads > 0 && c.classes > 0 && c.channels > 0,
        ErrorKind::config, "vit", "width ", c.width, ", layers ", c.layers, ", heads ", c.heads,
        ", classes ", c.classes, " and channels ", c.channels, " must be positive");
  check(c.patch > 0 && c.image_size >= c.patch && c.image_size % c.patch == 0, ErrorKind::config,
        "vit", "images of ", c.image_size, " pixels cannot be cut into patches of ", c.patch);
  check(!c.teacher_head || (c.distillation_token && c.pool == Pool::class_token), ErrorKind::config,
        "vit", "a teacher's head needs the class and distillation tokens");
}

// The checkpoint's name of a design's part in layer `prefix`; of an expert's "experts.3.up" what
// stands before the last point comes first.
std::string feed_forward_name(const std::string& prefix, std::string_view part) {
  const std::size_t point = part.rfind('.') + 1;  // 0 without one
  const std::string place = prefix + std::string(part.substr(0, point));
  part.remove_prefix(point);
  if (part == "up") return place + "intermediate.dense";
  if (part == "down") return place + "output.dense";
  return place + "intermediate." + std::string(part);
}

// Row `index` of every sequence of x [B·T, D] → [B, D], a view.
Value token_of(Executor& ex, const Value& x, std::int64_t sequences, std::int64_t index) {
  const std::int64_t D = x.cols(), T = x.rows() / sequences;
  return slice_cols(ex, reshape(ex, x, {sequences, T * D}), index * D, D);
}

TransformerBlockNames block_names(const std::string& prefix) {
  const std::string attention = prefix + "attention.attention.";
  return {prefix + "layernorm_before",
          prefix + "layernorm_after",
          {attention + "query", attention + "key", attention + "value",
           prefix + "attention.output.dense"}};
}

TransformerBlockConfig block_config(const VitConfig& c, const std::string& prefix,
                                    std::int64_t layer, std::uint64_t seed) {
  TransformerBlockConfig block;
  block.attention = {.width = c.width,
                     .qkv_bias = c.qkv_bias,
                     .attention = {.heads = c.heads},
                     .weight_init = kWeightInit};
  block.feed_forward = c.feed_forward;
  block.site = feed_forward_site(c);
  block.site.seed = seed;
  block.site.name = [prefix](std::string_view part) { return feed_forward_name(prefix, part); };
  block.norm = {NormKind::layer, c.norm_eps};
  if (c.layers > 1)
    block.drop_path = c.drop_path * static_cast<float>(layer) / static_cast<float>(c.layers - 1);
  for (const int branch : {0, 1})
    block.drop_streams[branch] = RandomStream(
        seed, "drop_path." + std::to_string(layer) + (branch == 0 ? ".attention" : ".mlp"));
  return block;
}

}  // namespace

FeedForwardSite feed_forward_site(const VitConfig& config) {
  return {.width = config.width,
          .grid = {config.grid(), config.grid(), config.prefix()},
          .tokens = config.tokens(),
          .name = [](std::string_view part) { return std::string(part); },
          .weight_init = kWeightInit};
}

VisionTransformer::VisionTransformer(const VitConfig& config, ParameterSet& parameters,
                                     std::uint64_t seed, const DesignRegistry& designs)
    : config_(config), base_(config.distillation_token ? "deit." : "vit.") {
  check_config(config);
  config_.feed_forward = designs.with_hidden(config.feed_forward, config.width);
  add_embeddings(parameters);
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = base_ + "encoder.layer." + std::to_string(layer) + ".";
    blocks_.emplace_back(parameters, block_names(prefix), block_config(config, prefix, layer, seed),
                         designs);
  }
  norm_ = std::make_unique<LayerNormLayer>(parameters, base_ + "layernorm", config.width,
                                           config.norm_eps);
  const LinearLayer::Sizes head{config.classes, config.width, true};
  if (config.teacher_head) {
    classifier_ = std::make_unique<LinearLayer>(parameters, "cls_classifier", head, kWeightInit);
    distillation_classifier_ =
        std::make_unique<LinearLayer>(parameters, "distillation_classifier", head, kWeightInit);
  } else {
    classifier_ = std::make_unique<LinearLayer>(parameters, "classifier", head, kWeightInit);
  }
  collect_stored(parameters);
}

void VisionTransformer::add_embeddings(ParameterSet& parameters) {
  const std::string prefix = base_ + "embeddings.";
  const std::int64_t D = config_.width, pixels = config_.channels * config_.patch * config_.patch;
  const ParameterOptions token{.decay = false, .init = kTokenInit};
  if (config_.pool == Pool::class_token)
    class_token_ = &parameters.add(prefix + "cls_token", {1, D}, token);
  if (config_.distillation_token)
    distillation_token_ = &parameters.add(prefix + "distillation_token", {1, D}, token);
  positions_ = &parameters.add(prefix + "position_embeddings", {config_.tokens(), D},
                               {.decay = false, .init = kWeightInit});
  patch_weight_ = &parameters.add(prefix + "patch_embeddings.projection.weight", {D, pixels},
                                  {.init = kWeightInit});
  patch_bias_ = &parameters.add(prefix + "patch_embeddings.projection.bias", {D}, {.decay = false});
}

Value VisionTransformer::embed(Executor& ex, Value images) const {
  const std::int64_t B = images.rows();
  images = cast(ex, std::move(images), patch_weight_->value.dtype());
  Value x = patch_embedding(ex, std::move(images), ex.parameter(*patch_weight_),
                            ex.parameter(*patch_bias_), config_.channels, config_.image_size,
                            config_.image_size, config_.patch);
  for (Parameter* token : {distillation_token_, class_token_})
    if (token != nullptr) x = prepend_token(ex, ex.parameter(*token), std::move(x), B);
  return add(ex, std::move(x), ex.parameter(*positions_));  // [B·T, D]
}

Value VisionTransformer::logits(Executor& ex, Value images) const {
  const std::int64_t B = images.rows();
  Value x = embed(ex, std::move(images));
  for (const TransformerBlock& block : blocks_) x = block.forward(ex, std::move(x), B);
  if (config_.pool == Pool::mean) {
    x = norm_->forward(ex, std::move(x));
    x = mean_tokens(ex, std::move(x), B, config_.prefix(), config_.grid() * config_.grid());
    return classifier_->forward(ex, std::move(x));
  }
  // Layer norm works row by row: the rows that the head reads are enough.
  const Value first = token_of(ex, x, B, 0);
  const Value decided = classifier_->forward(ex, norm_->forward(ex, first));
  if (!config_.teacher_head) return decided;
  Value taught = norm_->forward(ex, token_of(ex, x, B, 1));
  taught = distillation_classifier_->forward(ex, std::move(taught));
  return scale(ex, add(ex, decided, std::move(taught)), 0.5f);
}

// Axes that a checkpoint has beyond rows and columns.
void VisionTransformer::collect_stored(ParameterSet& parameters) {
  stored_ = stored_weights_of(parameters);
  for (StoredWeight& stored : stored_) {
    const Parameter* parameter = stored.parameter;
    if (parameter == nullptr) continue;
    if (parameter == patch_weight_) {
      stored.shape = {config_.width, config_.channels, config_.patch, config_.patch};
    } else if (parameter == class_token_ || parameter == distillation_token_ ||
               parameter == positions_) {
      stored.shape.insert(stored.shape.begin(), 1);
    }
  }
}

}  // namespace ffn::inline v0
