// How good a language model is.
#pragma once

#include "ffn/train/evaluate.h"
#include "ffn/train/language_model.h"
#include "ffn/train/text_batches.h"

namespace ffn::inline v0 {

// Sequences of so many tokens that are scored at once: the same for every run.
std::int64_t text_eval_sequences(std::int64_t tokens);

// The first `documents` of a set, each byte predicted from at most `tokens` ids before it
// (TextEvalBatches). The score's loss is in nats per byte, right counts ids. `detail` and `experts`
// may be null.
Score evaluate_text(const LanguageModel& model, const TextSet& set, std::int64_t documents,
                    ScoreDetail* detail = nullptr, ExpertWatch* experts = nullptr);

}  // namespace ffn::inline v0
