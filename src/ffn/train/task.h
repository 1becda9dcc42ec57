// What is trained on what: a model with its data, its loss and its score.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ffn/models/model_config.h"
#include "ffn/train/augment.h"
#include "ffn/train/expert_watch.h"
#include "ffn/train/measure.h"
#include "ffn/train/model_options.h"
#include "ffn/train/task_data.h"

namespace ffn::inline v0 {

struct TaskOptions {
  ModelOptions model = {};  // with gradients: batches for training are allocated too
  std::int64_t batch = 128;
  AugmentOptions augment = {};  // of pictures
};

// train_sample: a fixed part of the training examples, as many as validation has.
enum class Split { train, train_sample, validation, test };

class Task {
 public:
  virtual ~Task() = default;

  virtual Executor& executor() const = 0;
  virtual ParameterSet& parameters() = 0;
  virtual Measure measure() const = 0;
  // From and to a Hugging Face folder; also from the dense model that this one is the upcycled form
  // of. Errors: io.
  virtual void read_model(const std::string& folder) = 0;
  virtual void write_model(const std::string& folder) const = 0;

  // ---- training ----
  virtual std::int64_t steps_per_epoch() const = 0;
  virtual std::int64_t items_per_step() const = 0;  // pictures, or bytes
  // Puts the batch of a step in place; see TrainBatches, TextTrainBatches.
  virtual void fill(std::int64_t epoch, std::int64_t step) = 0;
  // Of the batch in place, recorded: [1, 1].
  virtual Value loss() = 0;

  // ---- scoring ----
  // In fixed blocks: the score does not depend on any batch size. `detail` may be null. On a dry
  // device the blocks run and the score is empty.
  virtual Score score(Split split, ScoreDetail* detail) = 0;
  virtual std::int64_t items_per_block() const = 0;  // pictures, or bytes
  // The first block of a split as the model sees it and its logits, as a safetensors file, for
  // comparison with other implementations. Errors: io.
  virtual void write_logits(Split split, const std::string& path) = 0;

  // From now on loss() and score() tell it where each pass begins and which rows count; it must
  // outlive their calls. Null: nobody watches.
  void set_watch(ExpertWatch* watch) { watch_ = watch; }

 protected:
  ExpertWatch* watch() const { return watch_; }

 private:
  ExpertWatch* watch_ = nullptr;
};

// `data` must outlive the task and be of the model's kind. Errors: config when they do not fit.
std::unique_ptr<Task> make_task(Executor& ex, const ModelConfig& config, const TaskData& data,
                                const TaskOptions& options, const DesignRegistry& designs);

}  // namespace ffn::inline v0
