#include "ffn/train/trainer.h"

namespace ffn::inline v0 {

PlanReport plan_training(const Device& device, const TrainConfig& config) {
  Executor ex(dry_device(device), config.memory);
  const TaskData data = shape_only_data(config.model, config.run.batch);
  const auto task =
      make_task(ex, config.model, data, task_options(config, true), standard_designs());
  OptimizerStep optimizer_step(ex, task->parameters(), step_options(config));
  const auto step = [&](std::int64_t index) {
    optimizer_step.run(index, config.run.schedule.lr, [&] { return task->loss(); });
    return ex.report();
  };
  const PlanReport first = step(0);
  PlanReport report = step(1);  // runs in the slab that the first one laid out
  report.forward_flops = first.forward_flops;
  report.backward_flops = first.backward_flops;
  return report;
}

PlanReport plan_inference(const Device& device, const TrainConfig& config) {
  Executor ex(dry_device(device), config.memory);
  const TaskData data = shape_only_data(config.model, config.run.batch);
  const auto task =
      make_task(ex, config.model, data, task_options(config, false), standard_designs());
  task->score(Split::test, nullptr);  // two blocks: nothing is kept in between
  return ex.report();
}

}  // namespace ffn::inline v0
