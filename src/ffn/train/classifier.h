// An image classifier ready to compute: its weights in place, with gradients or without.
#pragma once

#include <cstdint>

#include "ffn/models/vit.h"

namespace ffn::inline v0 {

struct ClassifierOptions {
  DType dtype = DType::f32;  // f32 or bf16; f64 on the reference device
  std::uint64_t seed = 0;    // of the weights' first values and of drop path
  bool gradients = false;    // also room for gradients: 4 bytes a parameter
};

// Allocates the weights; they start from options.seed.
class Classifier {
 public:
  Classifier(Executor& ex, const VitConfig& config, const ClassifierOptions& options,
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
