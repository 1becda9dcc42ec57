// Batches of a data set in tensors of their own, filled anew for every step.
#pragma once

#include <cstdint>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/train/augment.h"
#include "ffn/train/dataset.h"
#include "ffn/train/mix.h"

namespace ffn::inline v0 {

struct BatchOptions {
  std::int64_t batch = 128;
  std::uint64_t seed = 1;
  AugmentOptions augment = {};
};

// Step s of epoch e holds samples order[s·B … s·B + B − 1], where order permutes the set by stream
// (seed, "order") at step e; what remains of an epoch is dropped. Its contents depend on (seed, e,
// s) only: two models with one seed see the same numbers, a resumed run those it would have seen.
// Bytes, Tag::data: 4·B·C·H·W pictures, 4·B labels, 4·B·V targets when they are soft; on the host
// 4·count for the order. Threads share the samples; bitwise equal for any number of them.
class TrainBatches {
 public:
  // `set` must outlive this. Throws Error{config} for a batch below 1 or beyond the set, and as
  // check_augment.
  TrainBatches(Executor& executor, const ImageSet& set, const PixelStatistics& statistics,
               const BatchOptions& options);

  std::int64_t steps_per_epoch() const { return set_.count / options_.batch; }
  void fill(std::int64_t epoch, std::int64_t step);

  const Tensor& images() const { return images_; }    // [B, C·H·W] f32, normalised
  const Tensor& labels() const { return labels_; }    // [B] i32, before mixing
  const Tensor& targets() const { return targets_; }  // [B, V] f32; undefined when not soft

 private:
  std::span<float> image(std::int64_t index) const;

  Executor& executor_;
  const ImageSet& set_;
  BatchOptions options_;
  Normaliser normaliser_;
  Augmenter augmenter_;
  Mixer mixer_;
  Tensor images_, labels_, targets_;
  std::vector<std::uint32_t> order_;
  std::int64_t ordered_epoch_ = -1;
};

// The set in its own order, in fixed blocks, without augmentation. Places of the last block beyond
// the set hold its first picture and label −1, which losses and counts ignore.
class EvalBatches {
 public:
  // `set` must outlive this. Throws Error{config} for a block below 1.
  EvalBatches(Executor& executor, const ImageSet& set, const PixelStatistics& statistics,
              std::int64_t block);

  std::int64_t blocks() const { return (set_.count + block_ - 1) / block_; }
  void fill(std::int64_t block);

  const Tensor& images() const { return images_; }  // [block, C·H·W] f32, normalised
  const Tensor& labels() const { return labels_; }  // [block] i32

 private:
  Executor& executor_;
  const ImageSet& set_;
  std::int64_t block_;
  Normaliser normaliser_;
  Tensor images_, labels_;
};

}  // namespace ffn::inline v0
