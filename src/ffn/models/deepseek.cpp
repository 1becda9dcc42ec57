// DeepSeekMoE (the first, with plain attention): narrow routed experts beside shared ones, the
// first layers dense. model_type "deepseek", which transformers knows through the checkpoint's own
// code only. Source: Dai et al. 2024.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

FeedForwardSpec read_deepseek_experts(const ConfigReader& in) {
  const std::int64_t experts = in.integer("n_routed_experts", 1, kMaxExperts);
  const std::int64_t top = in.integer("num_experts_per_tok", 1, experts);
  const std::int64_t shared =
      in.has("n_shared_experts") ? in.integer("n_shared_experts", 0, kMaxExperts) : 0;
  const double loss = in.has("aux_loss_alpha") ? in.number("aux_loss_alpha") : 0.001;
  return standard_designs().parse(
      "deepseek-moe(" + std::to_string(experts) + ", " +
      to_string(read_gated(in, "hidden_act", "moe_intermediate_size")) +
      ", top=" + std::to_string(top) + ", shared=" + std::to_string(shared) +
      ", normalise=" + (in.flag("norm_topk_prob", false) ? "true" : "false") +
      ", balance_over=" + (in.flag("seq_aux", true) ? "sequence" : "batch") +
      ", balance=" + spec_number_text(loss) + ")");
}

void read_deepseek(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, false, config);
  require_value(in, "scoring_func", "softmax");
  require_value(in, "pretraining_tp", 1);
  config.attention_bias = in.flag("attention_bias", false);
  config.feed_forward = read_deepseek_experts(in);
  const std::int64_t first =
      in.has("first_k_dense_replace") ? in.integer("first_k_dense_replace", 0, 4096) : 0;
  const std::int64_t every = in.has("moe_layer_freq") ? in.integer("moe_layer_freq", 1, 4096) : 1;
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    if (layer < first || layer % every != 0)
      config.other_feed_forward[layer] = read_gated(in, "hidden_act", "intermediate_size");
}

bool write_deepseek(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const FeedForwardSpec& spec = config.feed_forward;
  const std::string_view act =
      spec.design == "deepseek-moe" ? gated_activation(spec.nested.at(0)) : std::string_view();
  if (act.empty()) return false;
  write_common_keys(act, json);
  json["moe_intermediate_size"] = hidden_of(spec.nested[0]);
  json["n_routed_experts"] = experts_of(spec);
  json["n_shared_experts"] = option_integer(spec, "shared", 1);
  json["num_experts_per_tok"] = option_integer(spec, "top", 6);
  json["norm_topk_prob"] = option_is(spec, "normalise", "true");
  json["scoring_func"] = "softmax";
  json["aux_loss_alpha"] = option_number(spec, "balance", 0.001);
  json["seq_aux"] = !option_is(spec, "balance_over", "batch");
  json["attention_bias"] = config.attention_bias;
  json["first_k_dense_replace"] = config.other_feed_forward.size();
  json["moe_layer_freq"] = 1;
  const auto dense = config.other_feed_forward.begin();
  const bool some = dense != config.other_feed_forward.end();
  if (some && gated_activation(dense->second).empty()) return false;
  json["intermediate_size"] = hidden_of(some ? dense->second : spec.nested[0]);
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

const DecoderNames& deepseek_names() {
  static const DecoderNames kNames{
      .name = "deepseek", .part = llama_names().part, .buffers = llama_names().buffers};
  return kNames;
}

DecoderFamily deepseek_family() {
  return {"deepseek", "DeepseekForCausalLM", deepseek_names, read_deepseek, write_deepseek};
}

}  // namespace ffn::inline v0
