// Training steps of deit-tiny on made-up 32×32 pictures, in f32 or (--bf16 1) bf16, one JSON line:
// for tools/peers/train_step.py, which alternates it with PyTorch.
#include <cstdio>

#include "ffn/base/philox.h"
#include "ffn/base/timer.h"
#include "ffn/tensor/host.h"
#include "ffn/train/trainer.h"
#include "harness.h"

namespace {

using namespace ffn;

ImageData made_up_pictures(std::int64_t count) {
  ImageData data;
  data.train = {"made up", count, 3, 32, 32, 100, {}, {}};
  ImageSet& set = data.train;
  const RandomStream stream(1, "pictures");
  for (std::int64_t i = 0; i < count * set.image_elements(); ++i)
    set.pixels.push_back(
        static_cast<std::uint8_t>(stream.word(0, static_cast<std::uint64_t>(i)) & 255u));
  for (std::int64_t i = 0; i < count; ++i)
    set.labels.push_back(static_cast<std::int32_t>(i % set.classes));
  data.statistics = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  return data;
}

TrainConfig config_of(std::int64_t batch, DType dtype) {
  TrainConfig config;
  VitConfig model = vit_preset("deit-tiny");
  model.image_size = 32;
  model.patch = 4;
  model.classes = 100;
  model.feed_forward = standard_designs().parse("mlp(gelu)");
  config.model = model;
  config.dtype = dtype;
  config.run.batch = batch;
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  const int batch = bench::read_option(argc, argv, "--batch", 128);
  const int steps = bench::read_option(argc, argv, "--steps", 5);
  const auto threads =
      make_thread_pool(bench::read_option(argc, argv, "--threads", available_threads()));
  const Device device = cpu_device(*threads);
  const bool bf16 = bench::read_option(argc, argv, "--bf16", 0) == 1;
  const TrainConfig config = config_of(batch, bf16 ? DType::bf16 : DType::f32);
  const PlanReport plan = plan_training(device, config);

  Executor ex(device);
  const TaskData data = made_up_pictures(batch);
  const auto task =
      make_task(ex, config.model, data, task_options(config, true), standard_designs());
  OptimizerStep optimizer_step(ex, task->parameters(), step_options(config));
  task->fill(0, 0);
  std::printf("{\"step_ms\": [");
  double loss = 0;
  for (int step = -2; step < steps; ++step) {  // two to learn the slab and warm up
    const Stopwatch watch;
    loss = optimizer_step.run(step + 2, 1e-3, [&] { return task->loss(); }).loss;
    if (step >= 0) std::printf("%s%.2f", step == 0 ? "" : ", ", 1e3 * watch.elapsed_s());
  }
  std::printf(
      "], \"loss\": %.4f, \"predicted_bytes\": %lld, \"measured_bytes\": %lld, \"device\": "
      "\"%.*s\"}\n",
      loss, static_cast<long long>(plan.peak_bytes), static_cast<long long>(ex.report().peak_bytes),
      static_cast<int>(device.name.size()), device.name.data());
  return plan.peak_bytes == ex.report().peak_bytes ? 0 : 1;
}
