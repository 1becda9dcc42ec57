// Pictures and their classes; used by make_task().
#pragma once

#include <optional>

#include "ffn/train/batches.h"
#include "ffn/train/classifier.h"
#include "ffn/train/evaluate.h"
#include "ffn/train/task.h"

namespace ffn::inline v0 {

class ImageTask final : public Task {
 public:
  ImageTask(Executor& ex, const VitConfig& config, const ImageData& data,
            const TaskOptions& options, const DesignRegistry& designs);

  Executor& executor() const override { return classifier_.executor(); }
  ParameterSet& parameters() override { return classifier_.parameters(); }
  Measure measure() const override { return Measure::accuracy; }
  void read_model(const std::string& folder) override;
  void write_model(const std::string& folder) const override;
  std::int64_t steps_per_epoch() const override { return batches_->steps_per_epoch(); }
  std::int64_t items_per_step() const override { return batch_; }
  void fill(std::int64_t epoch, std::int64_t step) override { batches_->fill(epoch, step); }
  Value loss() override;
  Score score(Split split, ScoreDetail* detail) override;
  std::int64_t items_per_block() const override { return kEvalBlock; }
  void write_logits(Split split, const std::string& path) override;

 private:
  const ImageSet& set_of(Split split) const;

  const ImageData& data_;
  std::int64_t batch_;
  Classifier classifier_;
  std::optional<TrainBatches> batches_;
};

}  // namespace ffn::inline v0
