#include "ffn/train/trainer.h"

namespace ffn::inline v0 {
namespace {

// A set of the right shape without pictures: a dry device reads none.
ImageSet shape_of(const VitConfig& model, std::int64_t count) {
  ImageSet set;
  set.count = count;
  set.channels = model.channels;
  set.height = set.width = model.image_size;
  set.classes = model.classes;
  return set;
}

PixelStatistics flat_statistics(const VitConfig& model) {
  const auto channels = static_cast<std::size_t>(model.channels);
  return {std::vector<double>(channels, 0.5), std::vector<double>(channels, 0.5)};
}

}  // namespace

PlanReport plan_training(const Device& device, const TrainConfig& config) {
  Executor ex(dry_device(device), config.memory);
  ClassifierSession session(ex, config.model, session_options(config), standard_designs());
  const ImageSet set = shape_of(config.model, config.run.batch);
  TrainBatches batches(ex, set, flat_statistics(config.model), batch_options(config));
  const ClassifierBatch batch{batches.images(), batches.labels(), batches.targets()};
  session.step(batch, 0, config.run.schedule.lr);
  const PlanReport first = ex.report();
  session.step(batch, 1, config.run.schedule.lr);  // runs in the slab that the first one laid out
  PlanReport report = ex.report();
  report.forward_flops = first.forward_flops;
  report.backward_flops = first.backward_flops;
  return report;
}

PlanReport plan_inference(const Device& device, const TrainConfig& config) {
  Executor ex(dry_device(device), config.memory);
  const Classifier classifier(ex, config.model, {.dtype = config.dtype, .seed = config.run.seed},
                              standard_designs());
  const ImageSet set = shape_of(config.model, kEvalBlock);
  EvalBatches batches(ex, set, flat_statistics(config.model), kEvalBlock);
  classifier.logits(batches.images());
  classifier.logits(batches.images());  // as the second block: nothing is kept in between
  return ex.report();
}

}  // namespace ffn::inline v0
