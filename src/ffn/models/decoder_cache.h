// What a decoder remembers of a sequence that it goes on with.
#pragma once

#include <cstdint>
#include <deque>

#include "ffn/layers/self_attention.h"

namespace ffn::inline v0 {

struct DecoderConfig;

// Keys and values of one sequence's tokens in every layer.
class DecoderCache {
 public:
  // Memory for `bound` tokens: 2·L·bound·kv_heads·W numbers of f32 or bf16 (f64 on the reference),
  // charged as states. Local layers keep all of them too. Errors: config when bound < 1.
  DecoderCache(Executor& ex, const DecoderConfig& config, std::int64_t bound, DType dtype);

  std::int64_t tokens() const { return tokens_; }
  std::int64_t bound() const { return bound_; }
  // Forgets all but the first `tokens`. Errors: config when there are fewer.
  void keep(std::int64_t tokens);

  // For the decoder: a layer's rows, and so many more tokens in all of them.
  AttentionCache& layer(std::size_t index) { return layers_[index]; }
  void grow(std::int64_t tokens) { tokens_ += tokens; }

 private:
  std::deque<AttentionCache> layers_;
  std::int64_t tokens_ = 0, bound_;
};

}  // namespace ffn::inline v0
