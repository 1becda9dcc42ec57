// Text, one id after another; used by make_task().
#pragma once

#include <optional>

#include "ffn/train/evaluate_text.h"
#include "ffn/train/language_model.h"
#include "ffn/train/task.h"
#include "ffn/train/text_batches.h"

namespace ffn::inline v0 {

class TextTask final : public Task {
 public:
  TextTask(Executor& ex, const DecoderConfig& config, const TextData& data,
           const TaskOptions& options, const DesignRegistry& designs);

  Executor& executor() const override { return model_.executor(); }
  ParameterSet& parameters() override { return model_.parameters(); }
  Measure measure() const override { return Measure::bits_per_byte; }
  void read_model(const std::string& folder) override;
  void write_model(const std::string& folder) const override;
  std::int64_t steps_per_epoch() const override { return batches_->steps_per_epoch(); }
  std::int64_t items_per_step() const override { return batch_ * tokens_; }
  void fill(std::int64_t epoch, std::int64_t step) override { batches_->fill(epoch, step); }
  Value loss() override;
  Score score(Split split, ScoreDetail* detail) override;
  std::int64_t items_per_block() const override { return text_eval_sequences(tokens_) * tokens_; }
  void write_logits(Split split, const std::string& path) override;

 private:
  const TextSet& set_of(Split split) const;

  const TextData& data_;
  std::int64_t batch_, tokens_;
  LanguageModel model_;
  std::optional<TextTrainBatches> batches_;
};

}  // namespace ffn::inline v0
