// GPT-2: learned positions, layer norms, biases everywhere, one map for queries, keys and values,
// and maps that its files hold as [in, out]. model_type "gpt2". Source: Radford et al. 2019.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_gpt2(const ConfigReader& in, DecoderConfig& config) {
  config.vocabulary = in.integer("vocab_size", 1, 1 << 24);
  config.tokens = in.integer("n_positions", 1, 1 << 24);
  config.width = in.integer("n_embd", 1, kMostConfig);
  config.layers = in.integer("n_layer", 1, 4096);
  config.heads = in.integer("n_head", 1, 4096);
  config.norm_eps = static_cast<float>(in.number("layer_norm_epsilon"));
  check(config.norm_eps > 0, ErrorKind::io, in.where(), "'layer_norm_epsilon' is ", config.norm_eps,
        "; expected a positive number");
  require_value(in, "scale_attn_weights", true);
  require_value(in, "scale_attn_by_inverse_layer_idx", false);
  require_value(in, "add_cross_attention", false);
  config.norm = NormKind::layer;
  config.learned_positions = true;
  config.attention_bias = config.feed_forward_bias = true;
  config.tied_head = in.flag("tie_word_embeddings", true);
  const std::int64_t hidden =
      in.has("n_inner") ? in.integer("n_inner", 1, kMostConfig) : 4 * config.width;
  config.feed_forward =
      standard_designs().parse("mlp(" + std::string(in.activation("activation_function")) +
                               ", hidden=" + std::to_string(hidden) + ")");
}

bool write_gpt2(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const FeedForwardSpec& spec = config.feed_forward;
  const bool plain = spec.design == "mlp" && spec.words.size() == 1 && spec.options.size() == 1;
  if (!plain || transformers_activation(spec.words[0]).empty()) return false;
  json["vocab_size"] = config.vocabulary;
  json["n_positions"] = json["n_ctx"] = config.tokens;
  json["n_embd"] = config.width;
  json["n_layer"] = config.layers;
  json["n_head"] = config.heads;
  json["n_inner"] = hidden_of(spec);
  const std::string_view act = transformers_activation(spec.words[0]);
  json["activation_function"] = act == "gelu_pytorch_tanh" ? "gelu_new" : act;
  json["layer_norm_epsilon"] = config.norm_eps;
  json["tie_word_embeddings"] = config.tied_head;
  for (const char* dropout : {"resid_pdrop", "embd_pdrop", "attn_pdrop"}) json[dropout] = 0.0;
  json["torch_dtype"] = "float32";
  json["bos_token_id"] = json["eos_token_id"] = 0;
  return true;
}

std::string gpt2_part(std::string_view part) {
  if (part == "up") return "mlp.c_fc";
  if (part == "down") return "mlp.c_proj";
  return "mlp." + std::string(part);
}

}  // namespace

const DecoderNames& gpt2_names() {
  static constexpr std::string_view kBuffers[] = {".attn.bias", ".attn.masked_bias"};
  static const DecoderNames kNames{.name = "gpt2",
                                   .embedding = "transformer.wte",
                                   .positions = "transformer.wpe",
                                   .layers = "transformer.h.",
                                   .last_norm = "transformer.ln_f",
                                   .norm_before = "ln_1",
                                   .norm_after = "ln_2",
                                   .query = "attn.c_attn",
                                   .key = {},
                                   .value = {},
                                   .out = "attn.c_proj",
                                   .part = gpt2_part,
                                   .fused_attention = true,
                                   .transposed = true,
                                   .prefix = "transformer.",
                                   .buffers = kBuffers};
  return kNames;
}

DecoderFamily gpt2_family() {
  return {"gpt2", "GPT2LMHeadModel", gpt2_names, read_gpt2, write_gpt2};
}

}  // namespace ffn::inline v0
