#include "ffn/train/text_task.h"

#include <algorithm>

#include "ffn/io/safetensors.h"
#include "ffn/models/transform/upcycle.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

TextTask::TextTask(Executor& ex, const DecoderConfig& config, const TextData& data,
                   const TaskOptions& options, const DesignRegistry& designs)
    : data_(data),
      batch_(options.batch),
      tokens_(config.tokens),
      model_(ex, config, options.model, designs) {
  if (options.model.gradients)
    batches_.emplace(
        ex, data.train,
        TextBatchOptions{.batch = batch_, .tokens = tokens_, .seed = options.model.seed});
}

void TextTask::read_model(const std::string& folder) {
  start_weights(executor(), folder, model_.model().config().feed_forward,
                model_.model().stored_weights(), parameters());
}

void TextTask::write_model(const std::string& folder) const {
  write_model_folder(folder, model_.model().config(), model_.model().stored_weights());
}

Value TextTask::loss() {
  if (watch() != nullptr) watch()->begin_pass();
  return cross_entropy(executor(), model_.forward(batches_->ids(), tokens_), batches_->targets());
}

const TextSet& TextTask::set_of(Split split) const {
  if (split == Split::validation) return data_.validation;
  return split == Split::test ? data_.test : data_.train;
}

Score TextTask::score(Split split, ScoreDetail* detail) {
  const TextSet& set = set_of(split);
  const std::int64_t documents =
      split == Split::train_sample ? std::min(set.count(), data_.validation.count()) : set.count();
  return evaluate_text(model_, set, documents, detail, watch());
}

void TextTask::write_logits(Split split, const std::string& path) {
  TextEvalBatches batches(executor(), set_of(split), set_of(split).count(), tokens_, 8);
  batches.fill(0);
  const Tensor logits = model_.logits(batches.ids(), tokens_);
  const SafetensorsSource sources[] = {
      {"ids", DType::i32, {8, tokens_}, std::as_bytes(host_span<std::int32_t>(batches.ids()))},
      {"logits", DType::f32, {8, tokens_, logits.cols()}, std::as_bytes(host_span<float>(logits))}};
  write_safetensors(path, sources);
}

}  // namespace ffn::inline v0
