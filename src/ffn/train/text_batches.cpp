#include "ffn/train/text_batches.h"

#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/tensor/host.h"
#include "ffn/train/order.h"

namespace ffn::inline v0 {
namespace {

Tensor id_tensor(Executor& executor, std::int64_t count) {
  return executor.allocate_persistent({{count}, DType::i32, Role::activation}, Tag::data);
}

// ids[i] = from[i], targets[i] = from[i + 1].
void copy_window(std::span<const std::uint16_t> from, std::span<std::int32_t> ids,
                 std::span<std::int32_t> targets) {
  const std::size_t shift = fault(615) ? 0 : 1;
  for (std::size_t i = 0; i + 1 < from.size(); ++i) {
    ids[i] = from[i];
    targets[i] = from[i + shift];
  }
}

}  // namespace

std::int64_t text_windows(const TextSet& set, std::int64_t tokens) {
  // One window less than fit, so that the beginning can move.
  return std::max<std::int64_t>(0, (static_cast<std::int64_t>(set.ids.size()) - 1) / tokens - 1);
}

TextTrainBatches::TextTrainBatches(Executor& executor, const TextSet& set,
                                   const TextBatchOptions& options)
    : executor_(executor),
      set_(set),
      options_(options),
      windows_(text_windows(set, options.tokens)) {
  check(options.batch >= 1 && options.batch <= windows_, ErrorKind::config, "batches",
        "a batch of ", options.batch, " sequences of ", options.tokens, " ids, but the text has ",
        windows_, " for training");
  ids_ = id_tensor(executor, options.batch * options.tokens);
  targets_ = id_tensor(executor, options.batch * options.tokens);
  order_.resize(static_cast<std::size_t>(windows_));
}

void TextTrainBatches::fill(std::int64_t epoch, std::int64_t step) {
  check(epoch >= 0 && step >= 0 && step < steps_per_epoch(), ErrorKind::config, "batches", "step ",
        step, " of epoch ", epoch, ", expected 0 to ", steps_per_epoch() - 1);
  if (executor_.dry()) return;
  const auto T = static_cast<std::size_t>(options_.tokens);
  if (epoch != ordered_epoch_) {
    const auto key = static_cast<std::uint64_t>(epoch);
    permute(RandomStream(options_.seed, "order"), key, order_);
    offset_ = RandomStream(options_.seed, "offset")
                  .below(static_cast<std::uint32_t>(options_.tokens), key, 0);
    ordered_epoch_ = epoch;
  }
  const std::span<std::int32_t> ids = host_span<std::int32_t>(ids_);
  const std::span<std::int32_t> targets = host_span<std::int32_t>(targets_);
  for (std::int64_t i = 0; i < options_.batch; ++i) {
    const std::uint32_t window = order_[static_cast<std::size_t>(step * options_.batch + i)];
    const std::size_t begin = static_cast<std::size_t>(offset_) + window * T;
    const std::size_t place = static_cast<std::size_t>(i) * T;
    copy_window(std::span(set_.ids).subspan(begin, T + 1), ids.subspan(place, T),
                targets.subspan(place, T));
  }
}

TextEvalBatches::TextEvalBatches(Executor& executor, const TextSet& set, std::int64_t documents,
                                 std::int64_t tokens, std::int64_t block)
    : executor_(executor), set_(set), tokens_(tokens), block_(block) {
  check(tokens >= 1 && block >= 1, ErrorKind::config, "batches", "blocks of ", block, " pieces of ",
        tokens, " ids");
  for (std::int64_t document = 0; document < documents; ++document) {
    const auto d = static_cast<std::size_t>(document);
    // A document of n ids behind its separator has n predictions.
    for (std::int64_t begin = set.starts[d]; begin + 1 < set.starts[d + 1]; begin += tokens)
      pieces_.push_back({document, begin, std::min(tokens, set.starts[d + 1] - 1 - begin)});
  }
  ids_ = id_tensor(executor, block * tokens);
  targets_ = id_tensor(executor, block * tokens);
}

std::int64_t TextEvalBatches::blocks() const {
  return (static_cast<std::int64_t>(pieces_.size()) + block_ - 1) / block_;
}

std::int64_t TextEvalBatches::document_of(std::int64_t piece) const {
  const auto index = static_cast<std::size_t>(filled_ * block_ + piece);
  return index < pieces_.size() ? pieces_[index].document : -1;
}

void TextEvalBatches::fill(std::int64_t block) {
  check(block >= 0 && block < blocks(), ErrorKind::config, "batches", "block ", block,
        ", expected 0 to ", blocks() - 1);
  filled_ = block;
  if (executor_.dry()) return;
  const std::span<std::int32_t> ids = host_span<std::int32_t>(ids_);
  const std::span<std::int32_t> targets = host_span<std::int32_t>(targets_);
  std::ranges::fill(ids, 0);
  std::ranges::fill(targets, -1);
  const auto T = static_cast<std::size_t>(tokens_);
  for (std::int64_t row = 0; row < block_; ++row) {
    const auto index = static_cast<std::size_t>(block * block_ + row);
    if (index >= pieces_.size()) break;
    const Piece& piece = pieces_[index];
    const std::size_t place = static_cast<std::size_t>(row) * T;
    copy_window(std::span(set_.ids).subspan(static_cast<std::size_t>(piece.begin),
                                            static_cast<std::size_t>(piece.length) + 1),
                ids.subspan(place, T), targets.subspan(place, T));
  }
}

}  // namespace ffn::inline v0
