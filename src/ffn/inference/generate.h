// Text that a language model writes, id by id.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ffn/inference/sampler.h"
#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

struct GenerateOptions {
  std::int64_t max_tokens = 256;
  SamplerOptions sampler = {};
  std::vector<std::int32_t> stop_ids = {};  // one of these ends the text and is not part of it
};

enum class GenerateEnd { stop_id, max_tokens, interrupted, cache_full };

struct Generated {
  std::vector<std::int32_t> ids;
  GenerateEnd end = GenerateEnd::max_tokens;
  std::int64_t prompt_tokens = 0;
  double prompt_ms = 0;  // until the first id was chosen
  double decode_ms = 0;  // all others
};

// Tokens of a prompt that pass through the model at once: enough rows for the products, and memory
// that does not grow with the prompt.
inline constexpr std::int64_t kPromptPiece = 256;

// Puts `prompt` (at least one id) behind what the cache holds and goes on with up to max_tokens
// ids, each chosen from the logits of the one before; draws are numbered from 0 on. `on_id` sees
// every id as soon as it is chosen; false ends the text. The cache then holds the prompt and all
// ids but the last. Errors: config for an empty prompt; shape when the prompt does not fit into the
// cache or has an id outside the vocabulary; those of Sampler.
Generated generate(Executor& ex, const Decoder& model, DecoderCache& cache,
                   std::span<const std::int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(std::int32_t)>& on_id = {});

}  // namespace ffn::inline v0
