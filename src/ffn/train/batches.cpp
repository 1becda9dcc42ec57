#include "ffn/train/batches.h"

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/tensor/host.h"
#include "ffn/train/order.h"

namespace ffn::inline v0 {
namespace {

PictureShape shape_of(const ImageSet& set) { return {set.channels, set.height, set.width}; }

// body(i) for every i in [0, count), on the executor's threads.
template <class Body>
void for_each(const Executor& executor, std::int64_t count, const Body& body) {
  ThreadPool* threads = executor.device().threads;
  if (threads == nullptr) threads = &serial_pool();
  Body job = body;
  threads->run(
      count, [](void* context, std::int64_t part, int) { (*static_cast<Body*>(context))(part); },
      &job);
}

Tensor data_tensor(Executor& executor, const Shape& shape, DType dtype) {
  return executor.allocate_persistent({shape, dtype, Role::activation}, Tag::data);
}

}  // namespace

TrainBatches::TrainBatches(Executor& executor, const ImageSet& set,
                           const PixelStatistics& statistics, const BatchOptions& options)
    : executor_(executor),
      set_(set),
      options_(options),
      normaliser_(statistics),
      augmenter_(options.augment, shape_of(set), options.seed),
      mixer_(options.augment, shape_of(set), options.seed) {
  const std::int64_t B = options.batch;
  check(B >= 1 && B <= set.count, ErrorKind::config, "batches", "a batch of ", B, " examples, but ",
        set.name, " has ", set.count, " for training");
  images_ = data_tensor(executor, {B, set.image_elements()}, DType::f32);
  labels_ = data_tensor(executor, {B}, DType::i32);
  if (options.augment.soft_targets())
    targets_ = data_tensor(executor, {B, set.classes}, DType::f32);
  order_.resize(static_cast<std::size_t>(set.count));
}

std::span<float> TrainBatches::image(std::int64_t index) const {
  const auto size = static_cast<std::size_t>(set_.image_elements());
  return host_span<float>(images_).subspan(static_cast<std::size_t>(index) * size, size);
}

void TrainBatches::fill(std::int64_t epoch, std::int64_t step) {
  check(epoch >= 0 && step >= 0 && step < steps_per_epoch(), ErrorKind::config, "batches", "step ",
        step, " of epoch ", epoch, ", expected 0 to ", steps_per_epoch() - 1);
  if (executor_.dry()) return;
  if (epoch != ordered_epoch_) {
    const auto key = static_cast<std::uint64_t>(fault(611) ? 0 : epoch);
    permute(RandomStream(options_.seed, "order"), key, order_);
    ordered_epoch_ = epoch;
  }
  const std::int64_t B = options_.batch, first = step * B;
  const auto e = static_cast<std::uint64_t>(epoch);
  const std::span<std::int32_t> labels = host_span<std::int32_t>(labels_);
  for_each(executor_, B, [&](std::int64_t i) {
    const std::uint32_t sample = order_[static_cast<std::size_t>(first + i)];
    labels[static_cast<std::size_t>(i)] = set_.labels[sample];
    augmenter_.apply(e, sample, normaliser_, set_.image(sample), image(i));
  });
  if (!targets_.defined()) return;

  const MixDraws draws = mixer_.draw(e, static_cast<std::uint64_t>(step));
  const std::span<float> targets = host_span<float>(targets_);
  const auto V = static_cast<std::size_t>(set_.classes);
  for_each(executor_, (B + 1) / 2, [&](std::int64_t i) {
    const std::int64_t j = B - 1 - i;
    if (i != j) mixer_.mix_pair(draws, image(i), image(j));
    const std::int32_t mine = labels[static_cast<std::size_t>(i)];
    const std::int32_t partners = labels[static_cast<std::size_t>(j)];
    mixer_.target(draws, mine, partners, targets.subspan(static_cast<std::size_t>(i) * V, V));
    mixer_.target(draws, partners, mine, targets.subspan(static_cast<std::size_t>(j) * V, V));
  });
}

EvalBatches::EvalBatches(Executor& executor, const ImageSet& set, const PixelStatistics& statistics,
                         std::int64_t block)
    : executor_(executor), set_(set), block_(block), normaliser_(statistics) {
  check(block >= 1, ErrorKind::config, "batches", "blocks of ", block, " examples");
  images_ = data_tensor(executor, {block, set.image_elements()}, DType::f32);
  labels_ = data_tensor(executor, {block}, DType::i32);
}

void EvalBatches::fill(std::int64_t block) {
  check(block >= 0 && block < blocks(), ErrorKind::config, "batches", "block ", block,
        ", expected 0 to ", blocks() - 1);
  if (executor_.dry()) return;
  const std::span<float> images = host_span<float>(images_);
  const std::span<std::int32_t> labels = host_span<std::int32_t>(labels_);
  const auto size = static_cast<std::size_t>(set_.image_elements());
  const PictureShape shape = shape_of(set_);
  for_each(executor_, block_, [&](std::int64_t i) {
    const std::int64_t sample = block * block_ + i;
    const bool present = sample < set_.count;
    const auto place = static_cast<std::size_t>(i);
    labels[place] = present ? set_.labels[static_cast<std::size_t>(sample)] : -1;
    normalise(shape, normaliser_, set_.image(present ? sample : 0),
              images.subspan(place * size, size));
  });
}

}  // namespace ffn::inline v0
