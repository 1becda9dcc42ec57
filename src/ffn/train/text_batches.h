// Windows of a text in tensors of their own, filled anew for every step.
#pragma once

#include <cstdint>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/train/text_data.h"

namespace ffn::inline v0 {

struct TextBatchOptions {
  std::int64_t batch = 32;    // B sequences
  std::int64_t tokens = 256;  // T of each
  std::uint64_t seed = 1;
};

// Whole windows of T ids (and the id after) in the training text, the text's beginning moved by up
// to T: what an epoch sees.
std::int64_t text_windows(const TextSet& set, std::int64_t tokens);

// Epoch e cuts the text into text_windows() windows from an offset of stream (seed, "offset") at
// step e on, permuted by stream (seed, "order") at step e; step s holds windows s·B … of them. What
// remains of an epoch is dropped. Contents depend on (seed, e, s) only. Windows cross documents:
// the separator tells where one begins. Bytes, Tag::data: 8·B·T; on the host 4 a window for the
// order.
class TextTrainBatches {
 public:
  // `set` must outlive this. Throws Error{config} for a batch below 1 or beyond the windows.
  TextTrainBatches(Executor& executor, const TextSet& set, const TextBatchOptions& options);

  std::int64_t steps_per_epoch() const { return windows_ / options_.batch; }
  void fill(std::int64_t epoch, std::int64_t step);

  const Tensor& ids() const { return ids_; }          // [B·T] i32
  const Tensor& targets() const { return targets_; }  // [B·T] i32: the next ids

 private:
  Executor& executor_;
  const TextSet& set_;
  TextBatchOptions options_;
  std::int64_t windows_;
  Tensor ids_, targets_;
  std::vector<std::uint32_t> order_;
  std::int64_t ordered_epoch_ = -1, offset_ = 0;
};

// Every document on its own in pieces of at most T ids, each piece read without what came before
// it, in fixed blocks of pieces. Places beyond a piece hold its separator's id and target −1.
class TextEvalBatches {
 public:
  // Of the first `documents`; `set` must outlive this.
  TextEvalBatches(Executor& executor, const TextSet& set, std::int64_t documents,
                  std::int64_t tokens, std::int64_t block);

  std::int64_t blocks() const;
  void fill(std::int64_t block);
  // Of row `piece` of the block filled last: which document it belongs to; −1: none.
  std::int64_t document_of(std::int64_t piece) const;

  const Tensor& ids() const { return ids_; }          // [block·T] i32
  const Tensor& targets() const { return targets_; }  // [block·T] i32

 private:
  struct Piece {
    std::int64_t document = 0, begin = 0, length = 0;  // in set.ids
  };

  Executor& executor_;
  const TextSet& set_;
  std::int64_t tokens_, block_, filled_ = 0;
  std::vector<Piece> pieces_;
  Tensor ids_, targets_;
};

}  // namespace ffn::inline v0
