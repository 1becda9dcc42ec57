// How well a language model foretells a text.
#pragma once

#include <cstdint>
#include <span>

#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

struct ScoreOptions {
  std::int64_t window = 0;  // tokens that the model sees at most; 0: as many as it is made for,
                            // at most kUsualWindow
  std::int64_t stride = 0;  // of which so many are scored; 0: half the window
};
inline constexpr std::int64_t kUsualWindow = 2048;

struct TextScore {
  std::int64_t tokens = 0;    // scored: all but the first
  double nats = 0;            // Σ −ln p(token | tokens before it)
  double standard_error = 0;  // of nats/tokens, from blocks of kScoreBlock tokens
  double perplexity() const;  // e^(nats/tokens)
};
inline constexpr std::int64_t kScoreBlock = 64;

// Each token but the first is scored once, with at least window − stride tokens before it once so
// many are there: windows begin every `stride` tokens, and a window scores those that none before
// it has. Windows run one by one, in rows that do not depend on anything else, so a text has one
// score. Logits are never stored for more than kScoreBlock rows. Errors: config for fewer than two
// ids, a window below 2 or beyond the model's tokens, a stride outside [1, window − 1].
TextScore score_text(Executor& ex, const Decoder& model, std::span<const std::int32_t> ids,
                     const ScoreOptions& options);

}  // namespace ffn::inline v0
