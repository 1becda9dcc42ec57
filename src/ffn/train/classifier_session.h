// One image classifier with everything that a training step touches. The same code on a dry device
// predicts its memory to the byte.
#pragma once

#include <cstdint>

#include "ffn/train/classifier.h"
#include "ffn/train/optimizer_step.h"

namespace ffn::inline v0 {

struct SessionOptions {
  DType dtype = DType::f32;  // f32 or bf16; f64 on the reference device
  double weight_decay = 0.05;
  double max_norm = 0;  // of the gradient; 0: not clipped
  std::uint64_t seed = 0;
};

// What a step reads; see TrainBatches.
struct ClassifierBatch {
  Tensor images;   // [B, C·S·S] f32
  Tensor labels;   // [B] i32, −1: ignored
  Tensor targets;  // [B, classes] f32 instead of labels where defined (mixup, smoothing)
};

class ClassifierSession {
 public:
  // Allocates weights, gradients and moments; weights start from options.seed.
  ClassifierSession(Executor& ex, const VitConfig& config, const SessionOptions& options,
                    const DesignRegistry& designs);

  // One step: forward, backward, clip, AdamW. Counts from 0; `step` keys drop path.
  StepResult step(const ClassifierBatch& batch, std::int64_t step, double learning_rate);

  Classifier& classifier() { return classifier_; }
  ParameterSet& parameters() { return classifier_.parameters(); }
  const VisionTransformer& model() const { return classifier_.model(); }

 private:
  Value loss(const ClassifierBatch& batch);

  Executor& ex_;
  Classifier classifier_;
  OptimizerStep step_;
};

}  // namespace ffn::inline v0
