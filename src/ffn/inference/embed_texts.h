// Vectors of texts from a sentence encoder, and how near they are to each other.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ffn/inference/open_encoder.h"
#include "ffn/inference/open_model.h"

namespace ffn::inline v0 {

struct EmbedOptions {
  std::int64_t batch = 32;  // texts that pass through the encoder at once, without padding
};

// Row s: pool_sentences() of Bert::hidden() of texts[s], in f32; [S, D]. A text's vector does not
// depend on the others but for roundings: the number of rows of a batch chooses its products.
// `on_batch` sees how many texts are done; false ends the work there, with fewer rows. Memory:
// 4·S·D bytes beside the executor's. Errors: config for a batch below 1; shape for a text that is
// too long or an id outside the vocabulary.
std::vector<float> embed_texts(Executor& ex, const LoadedEncoder& encoder,
                               const SentencePooling& pooling, std::span<const SentenceIds> texts,
                               const EmbedOptions& options,
                               const std::function<bool(std::int64_t)>& on_batch = {});

// What embed_texts() of these texts costs on `device`, its result included, found without reading
// weights: no batch has more rows than the largest one counted here.
InferencePlan plan_embedding(const Device& device, const EncoderFiles& files, DType compute,
                             std::span<const SentenceIds> texts, const EmbedOptions& options);

// xᵢ·xⱼ/(|xᵢ||xⱼ|) of all pairs of rows of x [S, D], summed in double → [S, S]; 0 for a row of
// zeros. Memory: 4·S² bytes.
std::vector<float> cosine_similarities(std::span<const float> x, std::int64_t D);

}  // namespace ffn::inline v0
