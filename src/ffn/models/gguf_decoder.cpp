#include "ffn/models/gguf_decoder.h"

#include <cmath>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/feedforward/registry.h"
#include "ffn/models/config_reader.h"
#include "ffn/models/decoder_names.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kMostTokens = 1 << 24;
constexpr double kMostNumber = 1e12;

// Keys of one architecture: "llama.block_count".
class ArchitectureKeys {
 public:
  ArchitectureKeys(const GgufFile& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  std::int64_t integer(std::string_view key, std::int64_t most,
                       std::optional<std::int64_t> otherwise = {}) const {
    return metadata().integer(prefix_ + std::string(key), 1, most, otherwise);
  }
  double number(std::string_view key, std::optional<double> otherwise = {}) const {
    return metadata().number(prefix_ + std::string(key), 1e-12, kMostNumber, otherwise);
  }
  // A key that says nothing else than `value`, or is absent.
  void require(std::string_view key, std::int64_t value) const {
    const std::string name = prefix_ + std::string(key);
    const std::int64_t found = metadata().integer(name, 0, kMostTokens, value);
    check(found == value, ErrorKind::io, file_.path(), "'", name, "' is ", found,
          "; this library reads only ", value);
  }
  std::string_view text(std::string_view key, std::string_view otherwise) const {
    return metadata().text(prefix_ + std::string(key), otherwise);
  }
  std::string named(std::string_view key) const { return prefix_ + std::string(key); }
  const GgufMetadata& metadata() const { return file_.metadata(); }
  const GgufFile& file() const { return file_; }

 private:
  const GgufFile& file_;
  std::string prefix_;
};

void read_rope(const ArchitectureKeys& keys, double usual_theta, DecoderConfig& config) {
  config.rope_theta = keys.number("rope.freq_base", usual_theta);
  keys.require("rope.dimension_count", config.width_of_head());
  check(
      keys.file().find("rope_freqs.weight") == nullptr, ErrorKind::io, keys.file().path(),
      "'rope_freqs.weight' stretches the angles in a way that this library reads from config.json "
      "only; use the model's Hugging Face folder");
  const std::string_view type = keys.text("rope.scaling.type", "none");
  check(type == "none" || type == "linear", ErrorKind::io, keys.file().path(), "'",
        keys.named("rope.scaling.type"), "' is '", type, "'; expected none or linear");
  if (type == "linear") {
    config.rope_scaling.kind = RopeScaling::Kind::linear;
    config.rope_scaling.factor = keys.number("rope.scaling.factor");
  }
}

void read_sizes(const ArchitectureKeys& keys, DecoderConfig& config) {
  const GgufFile& file = keys.file();
  config.tokens = keys.integer("context_length", kMostTokens);
  config.width = keys.integer("embedding_length", kMostConfig);
  config.layers = keys.integer("block_count", 4096);
  config.heads = keys.integer("attention.head_count", 4096);
  config.kv_heads = keys.integer("attention.head_count_kv", config.heads, config.heads);
  check(keys.metadata().has(keys.named("attention.key_length")) || config.width % config.heads == 0,
        ErrorKind::io, file.path(), "a width of ", config.width, " cannot be split into ",
        config.heads, " heads");
  config.head_width =
      keys.integer("attention.key_length", kMostConfig, config.width / config.heads);
  keys.require("attention.value_length", config.head_width);
  config.norm_eps = static_cast<float>(keys.number("attention.layer_norm_rms_epsilon"));
  const StoredTensor& embedding = file.at("token_embd.weight");
  check(embedding.shape.size() == 2 && embedding.shape[0] > 0 && embedding.shape[0] <= kMostTokens,
        ErrorKind::io, file.path(), "'token_embd.weight' is no table of at most ", kMostTokens,
        " rows");
  config.vocabulary = embedding.shape[0];
  config.tied_head = file.find("output.weight") == nullptr;
}

FeedForwardSpec gated(const ArchitectureKeys& keys, std::string_view act) {
  return standard_designs().parse(
      "glu(" + std::string(act) +
      ", hidden=" + std::to_string(keys.integer("feed_forward_length", kMostConfig)) + ")");
}

void read_llama(const ArchitectureKeys& keys, DecoderConfig& config) {
  keys.require("expert_count", 0);
  config.names = "gguf";
  config.rope_style = RopeStyle::interleaved;
  config.feed_forward = gated(keys, "silu");
  config.qkv_bias = keys.file().find("blk.0.attn_q.bias") != nullptr;
  read_rope(keys, 1e4, config);
}

// Every so manieth layer is global; the 27B model alone scales scores by its heads' share of D.
constexpr std::int64_t kGemma3Pattern = 6, kGemma3LayersOf27B = 62;

void read_gemma3(const ArchitectureKeys& keys, DecoderConfig& config) {
  config.names = "gguf-gemma3";
  config.feed_forward = gated(keys, "gelu_tanh");
  config.scaled_embedding = config.branch_norms = true;
  config.qk_norm = QkNorm::head;
  if (config.layers == kGemma3LayersOf27B)
    config.query_scale_width =
        static_cast<double>(config.width) / static_cast<double>(config.heads);
  if (keys.metadata().has(keys.named("final_logit_softcapping")))
    config.logit_cap = static_cast<float>(keys.number("final_logit_softcapping"));
  config.window = keys.integer("attention.sliding_window", kMostTokens);
  const std::int64_t pattern =
      keys.integer("attention.sliding_window_pattern", 4096, kGemma3Pattern);
  for (std::int64_t layer = 1; layer <= config.layers; ++layer)
    config.local_layers.push_back(layer % pattern != 0);
  read_rope(keys, 1e6, config);
  config.local_rope_theta = keys.number("rope.freq_base_swa", 1e4);
}

struct Architecture {
  std::string_view name;
  void (*read)(const ArchitectureKeys& keys, DecoderConfig& config);
};
constexpr Architecture kArchitectures[] = {{"llama", read_llama}, {"gemma3", read_gemma3}};

// The files' names of a gated layer's maps.
std::string part_name(std::string_view part) { return "ffn_" + std::string(part); }

}  // namespace

DecoderConfig gguf_decoder_config(const GgufFile& file) {
  const std::string_view name = file.metadata().text("general.architecture");
  std::vector<std::string_view> known;
  for (const Architecture& architecture : kArchitectures) {
    known.push_back(architecture.name);
    if (architecture.name != name) continue;
    const ArchitectureKeys keys(file, name);
    DecoderConfig config;
    read_sizes(keys, config);
    architecture.read(keys, config);
    return config;
  }
  fail(ErrorKind::io, file.path(), "'general.architecture' is '", name,
       "', which this library does not read from GGUF", did_you_mean(name, known),
       "; known are llama and gemma3");
}

const DecoderNames& gguf_names() {
  static const DecoderNames kNames{.name = "gguf",
                                   .embedding = "token_embd",
                                   .layers = "blk.",
                                   .last_norm = "output_norm",
                                   .head = "output",
                                   .norm_before = "attn_norm",
                                   .norm_after = "ffn_norm",
                                   .query = "attn_q",
                                   .key = "attn_k",
                                   .value = "attn_v",
                                   .out = "attn_output",
                                   .query_norm = "attn_q_norm",
                                   .key_norm = "attn_k_norm",
                                   .part = part_name};
  return kNames;
}

const DecoderNames& gguf_gemma3_names() {
  static const DecoderNames kNames = [] {
    DecoderNames names = gguf_names();
    names.name = "gguf-gemma3";
    names.norm_of_attention = "post_attention_norm";
    names.norm_of_feed_forward = "post_ffw_norm";
    return names;
  }();
  return kNames;
}

}  // namespace ffn::inline v0
