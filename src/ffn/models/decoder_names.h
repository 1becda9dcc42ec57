// Where the parts of a decoder stand in a checkpoint file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ffn/blocks/transformer_block.h"

namespace ffn::inline v0 {

// Names of one family. Those of a layer stand behind "<layers><number>.".
struct DecoderNames {
  std::string_view name;  // of this list of names, in this library's own configurations
  std::string_view embedding = "model.embed_tokens", positions = {};
  std::string_view layers = "model.layers.", last_norm = "model.norm", head = "lm_head";
  std::string_view norm_before = "input_layernorm", norm_after = "post_attention_layernorm";
  std::string_view norm_of_attention = {}, norm_of_feed_forward = {};
  std::string_view query = "self_attn.q_proj", key = "self_attn.k_proj", value = "self_attn.v_proj",
                   out = "self_attn.o_proj";
  std::string_view query_norm = "self_attn.q_norm", key_norm = "self_attn.k_norm";
  // Of a feed-forward design's part: "up", "router", "experts.3.down", "shared.gate".
  std::string (*part)(std::string_view part);
  bool fused_attention = false;  // `query` is one map of queries, keys and values
  bool transposed = false;       // maps of the layers stand in a file as [in, out]
  std::string_view prefix = {};  // of all names but the head's, which some files leave out
  // Ends of names that files hold beside the weights and that say nothing new: tables of angles,
  // masks.
  std::span<const std::string_view> buffers = {};
};

// LLaMA's, which Mistral, Gemma and models of this library share; routers and experts OLMoE's,
// shared experts DeepSeek's. And those of families that differ.
const DecoderNames& llama_names();
const DecoderNames& gemma3_names();
const DecoderNames& mixtral_names();
const DecoderNames& olmoe_names();
const DecoderNames& qwen2_moe_names();
const DecoderNames& deepseek_names();
const DecoderNames& gpt2_names();
// Of GGUF files (gguf_decoder.h).
const DecoderNames& gguf_names();
const DecoderNames& gguf_gemma3_names();

// By DecoderNames::name. Errors: config naming the nearest.
const DecoderNames& decoder_names(std::string_view name);

// "mlp.up_proj" of "up", "mlp.gate" of "router", "mlp.experts.3.up_proj", "mlp.<shared>.up_proj".
std::string projection_name(std::string_view part, std::string_view shared);

// Of the block behind `prefix`, with the norms and maps that a model has.
TransformerBlockNames decoder_block_names(const DecoderNames& names, const std::string& prefix);

}  // namespace ffn::inline v0
