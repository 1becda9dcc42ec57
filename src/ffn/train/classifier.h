// An image classifier ready to compute: its weights in place, with gradients or without.
#pragma once

#include "ffn/models/vit.h"
#include "ffn/train/model_options.h"

namespace ffn::inline v0 {

// Allocates the weights; they start from options.seed.
class Classifier {
 public:
  Classifier(Executor& ex, const VitConfig& config, const ModelOptions& options,
             const DesignRegistry& designs);

  // images [B, C·S·S] → [B, classes], f32 under bf16 too; recorded when there is a tape.
  Value forward(Value images) const;
  // The same in eval mode and without a tape.
  Tensor logits(const Tensor& images) const;

  ParameterSet& parameters() { return parameters_; }
  const VisionTransformer& model() const { return model_; }
  Executor& executor() const { return ex_; }

 private:
  Executor& ex_;
  ParameterSet parameters_;
  VisionTransformer model_;
};

}  // namespace ffn::inline v0
