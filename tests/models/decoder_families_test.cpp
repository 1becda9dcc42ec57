// Configurations and folders of the families of decoders: what is refused, and with which words.
#include <gtest/gtest.h>

#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/io/checkpoint.h"
#include "ffn/io/safetensors.h"
#include "ffn/models/decoder_config.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/model_config.h"
#include "ffn/models/weight_file.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::TemporaryFolder;

constexpr std::string_view kLlama = R"({"model_type": "llama", "vocab_size": 11, "hidden_size": 8,
  "max_position_embeddings": 6, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_act": "silu",
  "intermediate_size": 12, "rms_norm_eps": 1e-5, "tie_word_embeddings": true)";

template <class Attempt>
void expect_refused(std::string_view says, const Attempt& attempt) {
  try {
    attempt();
    ADD_FAILURE() << "expected: " << says;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io);
    const std::string_view what = error.what();
    EXPECT_NE(what.find(says), std::string_view::npos) << what;
    EXPECT_EQ(what.find('\n'), std::string_view::npos) << what;
  }
}

// The keys of kLlama and `more`, which come later and therefore count.
void expect_config_refused(std::string_view more, std::string_view says) {
  const std::string json = std::string(kLlama) + ", " + std::string(more) + "}";
  expect_refused(says, [&] { parse_model_config(json, "config.json"); });
}

TEST(DecoderFamilies, WrongValuesAreNamed) {
  expect_config_refused(R"("model_type": "lama")", "did you mean 'llama'?");
  expect_config_refused(R"("hidden_act": "silo")", "did you mean 'silu'?");
  expect_config_refused(R"("hidden_size": 0)", "'hidden_size' is 0; expected 1");
  expect_config_refused(R"("hidden_size": "8")", "'hidden_size' is \"8\"; expected an integer");
  expect_config_refused(R"("num_key_value_heads": 3)",
                        "'num_key_value_heads' is 3; expected 1 to 2");
  expect_config_refused(R"("rms_norm_eps": 0)", "'rms_norm_eps' is 0");
  expect_config_refused(R"("rope_theta": -1)", "'rope_theta' is -1");
  expect_config_refused(R"("partial_rotary_factor": 0.5)", "'partial_rotary_factor' is 0.5");
  expect_config_refused(R"("rope_scaling": 3)", "'rope_scaling' is no table");
  expect_config_refused(R"("rope_scaling": {"rope_type": "yarn", "factor": 2})",
                        "'rope_type' is 'yarn'; this library has default, linear and llama3");
  expect_config_refused(R"("rope_scaling": {"type": "linear"})", "rope_scaling] has no 'factor'");
  expect_config_refused(R"("rope_scaling": {"type": "linear", "factor": 0.5})", "'factor' is 0.5");
  expect_config_refused(
      R"("rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4})",
      "'high_freq_factor' is 4");
}

TEST(DecoderFamilies, WrongValuesOfOtherFamiliesAreNamed) {
  expect_config_refused(R"("model_type": "mistral", "sliding_window": 0)", "'sliding_window' is 0");
  expect_config_refused(R"("model_type": "mixtral", "num_local_experts": 4)",
                        "has no 'num_experts_per_tok'");
  expect_config_refused(
      R"("model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 5)",
      "'num_experts_per_tok' is 5; expected 1 to 4");
  expect_config_refused(R"("model_type": "olmoe", "clip_qkv": 8.0)", "'clip_qkv'");
  const std::string qwen = R"("model_type": "qwen2_moe", "num_experts": 4, "num_experts_per_tok": 2,
    "moe_intermediate_size": 4, "shared_expert_intermediate_size": 6)";
  expect_config_refused(qwen + R"(, "use_sliding_window": true)",
                        "'use_sliding_window' is true; this library has false alone");
  expect_config_refused(qwen + R"(, "mlp_only_layers": [2])",
                        "'mlp_only_layers' holds 2; expected 0 to 1");
  expect_config_refused(
      R"("model_type": "deepseek", "n_routed_experts": 4, "scoring_func": "sigmoid")",
      "'scoring_func' is \"sigmoid\"");
  const std::string gemma3 =
      R"("model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 4, "sliding_window": 3)";
  expect_config_refused(gemma3 + R"(, "layer_types": ["full_attention"])",
                        "'layer_types' is [\"full_attention\"]; expected a list of 2");
  expect_config_refused(gemma3 + R"(, "layer_types": ["full_attention", "chunked"])",
                        "'layer_types' holds \"chunked\"");
  expect_config_refused(gemma3 + R"(, "attn_logit_softcapping": 50)",
                        "'attn_logit_softcapping' is 50");
  expect_config_refused(gemma3 + R"(, "final_logit_softcapping": -1)",
                        "'final_logit_softcapping' is -1");
  expect_config_refused(R"("model_type": "gpt2")", "has no 'n_positions'");
}

// Older files say where Gemma 3's global layers are by a number alone.
TEST(DecoderFamilies, GlobalLayersFollowAPattern) {
  const std::string json = std::string(kLlama) +
                           R"(, "model_type": "gemma3_text", "num_hidden_layers": 7,
    "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 4, "sliding_window": 3)";
  const auto local_layers = [&](const std::string& more) {
    return parse_decoder_config(json + more + "}", "config.json").local_layers;
  };
  EXPECT_EQ(local_layers(""), (std::vector<bool>{true, true, true, true, true, false, true}));
  EXPECT_EQ(local_layers(R"(, "sliding_window_pattern": 2)"),
            (std::vector<bool>{true, false, true, false, true, false, true}));
}

// A configuration with everything that no family of elsewhere has together.
TEST(DecoderFamilies, ThisLibrarysOwnFormHoldsAllOptions) {
  DecoderConfig config = parse_decoder_config(std::string(kLlama) + "}", "config.json");
  config.other_feed_forward[1] = standard_designs().parse("mlp(gelu, hidden=9)");
  config.norm = NormKind::layer;
  config.branch_norms = config.qkv_bias = config.learned_positions = true;
  config.qk_norm = QkNorm::whole;
  config.query_scale_width = 3;
  config.attention_cap = 2;
  config.logit_cap = 4;
  config.window = 3;
  config.local_layers = {true, false};
  config.local_rope_theta = 50;
  config.rope_style = RopeStyle::interleaved;
  config.rope_scaling = {RopeScaling::Kind::llama3, 8, 1, 4, 16};
  config.names = "gpt2";
  config.kv_heads = 2;
  config.head_width = 4;
  const std::string json = decoder_config_json(config);
  EXPECT_NE(json.find("\"model_type\": \"feedforward\""), std::string::npos);
  EXPECT_EQ(parse_decoder_config(json, "config.json"), config);
}

// What a folder must not miss, must not have beside its weights, and may have.
class DecoderTensors : public testing::Test {
 protected:
  DecoderTensors()
      : config_(
            std::get<DecoderConfig>(parse_model_config(std::string(kLlama) + "}", "config.json"))),
        model_(config_, parameters_, 1, standard_designs()) {
    parameters_.finalize(ex_, DType::f32);
    initialize_all(ex_, parameters_, 1);
    write_model_folder(path_, config_, model_.stored_weights());
  }
  // The folder's weights without `leave_out` and with a small tensor of name `add`.
  void rewrite(std::string_view leave_out, const std::string& add) {
    const auto source = open_checkpoint(path_);
    std::vector<SafetensorsSource> tensors;
    for (const StoredTensor& tensor : source->tensors())
      if (tensor.name != leave_out)
        tensors.push_back({tensor.name, DType::f32, tensor.shape, source->data(tensor)});
    const std::vector<float> zero(1);
    if (!add.empty())
      tensors.push_back({add, DType::f32, {1}, std::as_bytes(std::span<const float>(zero))});
    write_safetensors(path_ + "/new", tensors, {{"format", "pt"}});
    std::filesystem::rename(path_ + "/new", path_ + "/model.safetensors");
  }
  void read() { read_model_weights(ex_, path_, model_.stored_weights(), parameters_); }

  Executor ex_{cpu_device(serial_pool())};
  TemporaryFolder folder_;
  std::string path_ = folder_.path().string();
  DecoderConfig config_;
  ParameterSet parameters_;
  Decoder model_;
};

TEST_F(DecoderTensors, MissingAndUnusedOnesAreErrors) {
  read();
  rewrite("model.layers.1.mlp.up_proj.weight", "");
  expect_refused("'model.layers.1.mlp.up_proj.weight'", [&] { read(); });
  write_model_folder(path_, config_, model_.stored_weights());
  rewrite("", "model.layers.1.mlp.side_proj.weight");
  expect_refused("'model.layers.1.mlp.side_proj.weight' has no place", [&] { read(); });
}

TEST_F(DecoderTensors, BuffersAreSkippedByName) {
  rewrite("", "model.layers.0.self_attn.rotary_emb.inv_freq");
  read();
  const std::vector<std::string_view> harmless = harmless_names(ModelConfig(config_));
  const WeightFile file(*open_checkpoint(path_));
  for (const WeightUse& use : weight_uses(file, model_.stored_weights(), harmless))
    EXPECT_EQ(use.became, use.name.ends_with("inv_freq") ? "nothing: a buffer" : use.name);
  for (const WeightUse& use : weight_uses(file, model_.stored_weights()))
    EXPECT_EQ(use.became.empty(), use.name.ends_with("inv_freq"));
}

TEST_F(DecoderTensors, ATiedHeadMayBeStoredTwice) {
  rewrite("", "lm_head.weight");
  read();
}

TEST_F(DecoderTensors, AnotherShapeIsNamed) {
  DecoderConfig wider = config_;
  wider.feed_forward = standard_designs().parse("glu(silu, hidden=13)");
  ParameterSet parameters;
  const Decoder model(wider, parameters, 1, standard_designs());
  parameters.finalize(ex_, DType::f32);
  expect_refused("is [12, 8]; the model's configuration asks for [13, 8]",
                 [&] { read_model_weights(ex_, path_, model.stored_weights(), parameters); });
}

}  // namespace
}  // namespace ffn
