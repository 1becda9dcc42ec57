#include "ffn/models/decoder_names.h"

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"

namespace ffn::inline v0 {

std::string projection_name(std::string_view part, std::string_view shared) {
  if (part == "router") return "mlp.gate";
  if (part == "shared_gate") return "mlp.shared_expert_gate";
  std::string name(part);
  if (part.starts_with("shared.")) name.replace(0, 6, shared);
  const std::string_view last = part.substr(part.rfind('.') + 1);
  const bool projection = last == "up" || last == "gate" || last == "down";
  return "mlp." + name + (projection ? "_proj" : "");
}

TransformerBlockNames decoder_block_names(const DecoderNames& names, const std::string& prefix) {
  const auto named = [&](std::string_view part) {
    return part.empty() ? std::string() : prefix + std::string(part);
  };
  return {named(names.norm_before),
          named(names.norm_after),
          {named(names.query), named(names.key), named(names.value), named(names.out),
           named(names.query_norm), named(names.key_norm)},
          named(names.norm_of_attention),
          named(names.norm_of_feed_forward)};
}

const DecoderNames& decoder_names(std::string_view name) {
  const DecoderNames* const all[] = {&llama_names(), &gemma3_names(),    &mixtral_names(),
                                     &olmoe_names(), &qwen2_moe_names(), &deepseek_names(),
                                     &gpt2_names(),  &gguf_names(),      &gguf_gemma3_names()};
  std::vector<std::string_view> known;
  for (const DecoderNames* names : all) {
    if (names->name == name) return *names;
    known.push_back(names->name);
  }
  fail(ErrorKind::config, "decoder", "unknown names '", name, "'", did_you_mean(name, known));
}

}  // namespace ffn::inline v0
