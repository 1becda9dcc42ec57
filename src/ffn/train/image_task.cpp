#include "ffn/train/image_task.h"

#include "ffn/models/transform/upcycle.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/train/dataset_layout.h"

namespace ffn::inline v0 {

ImageTask::ImageTask(Executor& ex, const VitConfig& config, const ImageData& data,
                     const TaskOptions& options, const DesignRegistry& designs)
    : data_(data), batch_(options.batch), classifier_(ex, config, options.model, designs) {
  if (options.model.gradients)
    batches_.emplace(
        ex, data.train, data.statistics,
        BatchOptions{
            .batch = options.batch, .seed = options.model.seed, .augment = options.augment});
}

void ImageTask::read_model(const std::string& folder) {
  start_weights(executor(), folder, classifier_.model().config().feed_forward,
                classifier_.model().stored_weights(), parameters());
}

void ImageTask::write_model(const std::string& folder) const {
  const VisionTransformer& model = classifier_.model();
  write_model_folder(folder, model.config(), model.stored_weights());
}

Value ImageTask::loss() {
  if (watch() != nullptr) watch()->begin_pass();
  Value logits = classifier_.forward(executor().constant(batches_->images()));
  return batches_->targets().defined()
             ? soft_cross_entropy(executor(), std::move(logits), batches_->targets())
             : cross_entropy(executor(), std::move(logits), batches_->labels());
}

const ImageSet& ImageTask::set_of(Split split) const {
  if (split == Split::validation) return data_.validation;
  return split == Split::test ? data_.test : data_.train;
}

Score ImageTask::score(Split split, ScoreDetail* detail) {
  if (split == Split::train_sample)
    return evaluate(classifier_, first_pictures(data_.train, data_.validation.count),
                    data_.statistics, detail, watch());
  return evaluate(classifier_, set_of(split), data_.statistics, detail, watch());
}

void ImageTask::write_logits(Split split, const std::string& path) {
  ffn::write_logits(classifier_, set_of(split), data_.statistics, path);
}

}  // namespace ffn::inline v0
