#include "ffn/models/bert.h"

#include <utility>

#include "ffn/base/error.h"
#include "ffn/models/placed_weights.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/view.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

constexpr Init kBertInit{Init::Kind::truncated_normal, 0, 0.02};

TransformerBlockNames bert_block_names(const std::string& prefix) {
  const std::string attention = prefix + "attention.self.";
  return {prefix + "attention.output.LayerNorm",
          prefix + "output.LayerNorm",
          {attention + "query", attention + "key", attention + "value",
           prefix + "attention.output.dense"}};
}

std::string bert_part_name(const std::string& prefix, std::string_view part) {
  if (part == "up") return prefix + "intermediate.dense";
  if (part == "down") return prefix + "output.dense";
  return prefix + "intermediate." + std::string(part);
}

TransformerBlockConfig bert_block(const BertConfig& c, const std::string& prefix) {
  TransformerBlockConfig block;
  block.form = BlockForm::post_norm;
  block.attention = {.width = c.width, .attention = {.heads = c.heads}, .weight_init = kBertInit};
  block.feed_forward = c.feed_forward;
  block.site = {.width = c.width,
                .grid = {},
                .tokens = c.tokens,
                .name = [prefix](std::string_view part) { return bert_part_name(prefix, part); },
                .weight_init = kBertInit};
  block.norm = {NormKind::layer, c.norm_eps};
  return block;
}

// The place of every row in its text. Errors: shape for a text longer than `most`.
Tensor positions_of(Executor& ex, const Tensor& offsets, std::int64_t N, std::int64_t most) {
  const Tensor made = ex.allocate({{N}, DType::i32, Role::activation});
  if (ex.dry()) return made;
  const std::span<const std::int32_t> begins = host_span<std::int32_t>(offsets);
  const std::span<std::int32_t> positions = host_span<std::int32_t>(made);
  for (std::size_t s = 0; s + 1 < begins.size(); ++s) {
    check(begins[s] >= 0 && begins[s] <= begins[s + 1] && begins[s + 1] <= N, ErrorKind::shape,
          "bert", "offsets ", offsets.shape(), " have ", begins[s], " before ", begins[s + 1],
          "; they must ascend from 0 to ", N);
    check(begins[s + 1] - begins[s] <= most, ErrorKind::shape, "bert", "text ", s, " has ",
          begins[s + 1] - begins[s], " tokens; this model takes ", most);
    for (std::int32_t row = begins[s]; row < begins[s + 1]; ++row)
      positions[static_cast<std::size_t>(row)] = row - begins[s];
  }
  return made;
}

}  // namespace

Bert::Bert(const BertConfig& config, ParameterSet& parameters, const DesignRegistry& designs)
    : config_(config), parameters_(&parameters) {
  check(config.width > 0 && config.layers > 0 && config.heads > 0 && config.vocabulary > 0 &&
            config.tokens > 0 && config.types > 0,
        ErrorKind::config, "bert", "width ", config.width, ", layers ", config.layers, ", heads ",
        config.heads, ", vocabulary ", config.vocabulary, ", tokens ", config.tokens, " and types ",
        config.types, " must be positive");
  config_.feed_forward = designs.with_hidden(config.feed_forward, config.width);
  const auto table = [&](const char* name, std::int64_t rows) {
    return &parameters.add(std::string("embeddings.") + name + "_embeddings.weight",
                           {rows, config.width}, {.init = kBertInit});
  };
  words_ = table("word", config.vocabulary);
  positions_ = table("position", config.tokens);
  types_ = table("token_type", config.types);
  norm_ = std::make_unique<NormLayer>(parameters, "embeddings.LayerNorm", config.width,
                                      NormConfig{NormKind::layer, config.norm_eps});
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = "encoder.layer." + std::to_string(layer) + ".";
    blocks_.emplace_back(parameters, bert_block_names(prefix), bert_block(config_, prefix),
                         designs);
  }
  check(!blocks_[0].feed_forward().mixes_tokens(), ErrorKind::config, "bert", "'",
        to_string(config_.feed_forward), "' mixes tokens; texts here differ in length");
  stored_ = stored_weights_of(parameters);
  for (StoredWeight& stored : stored_) stored.other_name = "bert." + stored.name;
}

Value Bert::embed(Executor& ex, const Tensor& ids, const Tensor& offsets,
                  const Tensor& types) const {
  const DType dtype = parameters_->compute();
  Value x = table_rows(ex, *words_, ids, dtype);  // [N, D]
  const Tensor places = positions_of(ex, offsets, x.rows(), config_.tokens);
  x = add(ex, std::move(x), table_rows(ex, *positions_, places, dtype));
  if (types.defined()) {
    x = add(ex, std::move(x), table_rows(ex, *types_, types, dtype));
  } else {
    const Value first = slice_rows(ex, ex.parameter(*types_), 0, 1);
    x = add(ex, std::move(x), cast(ex, first, dtype));
  }
  return norm_->forward(ex, std::move(x));
}

Value Bert::hidden(Executor& ex, const Tensor& ids, const Tensor& offsets,
                   const Tensor& types) const {
  Value x = embed(ex, ids, offsets, types);
  for (const TransformerBlock& block : blocks_) x = block.forward_packed(ex, x, offsets);
  return x;
}

}  // namespace ffn::inline v0
