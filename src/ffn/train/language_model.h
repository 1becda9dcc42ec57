// A decoder ready to compute: its weights in place, with gradients or without.
#pragma once

#include "ffn/models/decoder.h"
#include "ffn/train/model_options.h"

namespace ffn::inline v0 {

// Allocates the weights; they start from options.seed.
class LanguageModel {
 public:
  LanguageModel(Executor& ex, const DecoderConfig& config, const ModelOptions& options,
                const DesignRegistry& designs);

  // ids i32 [B·T] of sequences of `tokens` ids → [B·T, vocabulary], f32 under bf16 too; recorded
  // when there is a tape.
  Value forward(const Tensor& ids, std::int64_t tokens) const;
  // The same in eval mode and without a tape.
  Tensor logits(const Tensor& ids, std::int64_t tokens) const;

  ParameterSet& parameters() { return parameters_; }
  const Decoder& model() const { return model_; }
  Executor& executor() const { return ex_; }

 private:
  Executor& ex_;
  ParameterSet parameters_;
  Decoder model_;
};

}  // namespace ffn::inline v0
