// One vector for a text, out of its tokens' hidden states, as a sentence-transformers folder says.
#pragma once

#include <string>

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

struct SentencePooling {
  enum class Mode { mean, first_token };
  Mode mode = Mode::mean;
  bool normalise = true;    // to length 1
  std::int64_t tokens = 0;  // longer texts are cut there; 0: the encoder's own bound
  std::string prompt = {};  // stands before every text
};

// modules.json (Transformer, Pooling, Normalize), 1_Pooling/config.json, sentence_bert_config.json
// and the default prompt of config_sentence_transformers.json of a folder; without modules.json the
// mean, normalised. Errors: io for a module, a way of pooling or of changing texts that this
// library has not.
SentencePooling read_sentence_pooling(const std::string& folder);

// y[s] = mean of the rows [offsets[s], offsets[s+1]) of x, or the first of them, divided by its
// length √Σy²; x [N, D], offsets i32 [S+1] from 0 to N → [S, D]. A text without tokens gives 0.
// Reimers & Gurevych 2019 (Sentence-BERT). For inference: offsets are read on the host.
Value pool_sentences(Executor& ex, const Value& x, const Tensor& offsets,
                     const SentencePooling& pooling);

}  // namespace ffn::inline v0
