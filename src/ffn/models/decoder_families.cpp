#include <algorithm>

#include "ffn/models/decoder_family.h"

namespace ffn::inline v0 {

std::span<const DecoderFamily> decoder_families() {
  static const DecoderFamily kFamilies[] = {
      llama_family(),   mistral_family(), gemma_family(),     gemma2_family(),   gemma3_family(),
      mixtral_family(), olmoe_family(),   qwen2_moe_family(), deepseek_family(), gpt2_family(),
  };
  return kFamilies;
}

const DecoderFamily* find_decoder_family(std::string_view model_type) {
  const auto all = decoder_families();
  const auto found = std::ranges::find(all, model_type, &DecoderFamily::model_type);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace ffn::inline v0
