// A language model on text: planned to the byte, learning, and scored by documents.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "ffn/tensor/host.h"
#include "ffn/train/text_task.h"
#include "ffn/train/trainer.h"
#include "train/made_up_text.h"

namespace ffn {
namespace {

using namespace test;

TrainConfig config_of(const char* design, MemoryMode memory) {
  TrainConfig config;
  DecoderConfig model = decoder_preset("lm-pico");
  model.tokens = 32;
  model.kv_heads = 1;
  model.feed_forward = standard_designs().parse(design);
  config.model = model;
  config.memory = memory;
  config.run.batch = 8;
  config.run.seed = 5;
  return config;
}

struct Trained {
  std::vector<double> losses;
  PlanReport report;
  Score before, after;
};

Trained train(const Device& device, const TrainConfig& config, const TaskData& data, int steps) {
  Executor ex(device, config.memory);
  const auto task =
      make_task(ex, config.model, data, task_options(config, true), standard_designs());
  OptimizerStep step(ex, task->parameters(), step_options(config));
  Trained result;
  if (steps > 2) result.before = task->score(Split::test, nullptr);
  for (int i = 0; i < steps; ++i) {
    task->fill(i / task->steps_per_epoch(), i % task->steps_per_epoch());
    result.losses.push_back(step.run(i, 3e-3, [&] { return task->loss(); }).loss);
  }
  result.report = ex.report();
  if (steps > 2) result.after = task->score(Split::test, nullptr);
  return result;
}

TEST(TextTask, IsPlannedToTheByte) {
  const TaskData data = made_up_data();
  const auto two = make_thread_pool(2);
  for (const char* design : {"mlp(gelu)", "glu(silu)"}) {
    for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute}) {
      const TrainConfig config = config_of(design, memory);
      const PlanReport planned = plan_training(cpu_device(*two), config);
      const PlanReport measured = train(cpu_device(*two), config, data, 2).report;
      EXPECT_EQ(planned.peak_bytes, measured.peak_bytes) << design;
      EXPECT_GT(planned.forward_flops, 0);
    }
  }
}

TEST(TextTask, ScoringIsPlannedToTheByte) {
  const TaskData data = made_up_data();
  const TrainConfig config = config_of("glu(silu)", MemoryMode::store);
  const Device device = cpu_device(serial_pool());
  Executor ex(device);
  const auto task =
      make_task(ex, config.model, data, task_options(config, false), standard_designs());
  task->score(Split::test, nullptr);
  EXPECT_EQ(ex.report().peak_bytes, plan_inference(device, config).peak_bytes);
}

TEST(TextTask, LearnsTheSameForAnyThreadsAndMemory) {
  const TaskData data = made_up_data();
  const auto two = make_thread_pool(2);
  const TrainConfig stored = config_of("glu(silu)", MemoryMode::store);
  const Trained a = train(cpu_device(serial_pool()), stored, data, 40);
  const Trained b = train(cpu_device(*two), stored, data, 40);
  const Trained c =
      train(cpu_device(*two), config_of("glu(silu)", MemoryMode::recompute), data, 40);
  EXPECT_EQ(a.losses, b.losses);
  EXPECT_EQ(a.losses, c.losses);
  EXPECT_NEAR(a.before.loss, std::log(256.0), 0.1);
  EXPECT_LT(a.after.loss, 0.6 * a.before.loss);
  EXPECT_EQ(a.after.loss, b.after.loss);
}

TEST(TextTask, ScoresAreSumsOverDocuments) {
  const TextData text = made_up_data();
  const TaskData data = text;
  const TrainConfig config = config_of("mlp(relu2)", MemoryMode::store);
  Executor ex(cpu_device(serial_pool()));
  const auto task =
      make_task(ex, config.model, data, task_options(config, false), standard_designs());
  ScoreDetail detail;
  const Score score = task->score(Split::test, &detail);
  ASSERT_EQ(detail.losses.size(), static_cast<std::size_t>(text.test.count()));
  double nats = 0;
  std::int64_t bytes = 0, right = 0;
  for (std::size_t i = 0; i < detail.losses.size(); ++i) {
    EXPECT_EQ(detail.counts[i], text.test.bytes[i]);
    nats += detail.losses[i];
    bytes += detail.counts[i];
    right += detail.right[i];
  }
  EXPECT_EQ(score.count, bytes);
  EXPECT_EQ(score.right, right);
  EXPECT_DOUBLE_EQ(score.loss, nats / static_cast<double>(bytes));
  EXPECT_DOUBLE_EQ(quality(score, task->measure()), score.loss / std::numbers::ln2);
  EXPECT_GT(score.standard_error, 0);

  // A document on its own, in double, by the definition: −log p of each byte after those before it
  // in its piece.
  Executor exact(reference_device());
  LanguageModel model(exact, std::get<DecoderConfig>(config.model),
                      {.dtype = DType::f64, .seed = config.run.seed}, standard_designs());
  const auto document = text.test.document(3);
  double sum = 0;
  for (std::size_t begin = 0; begin + 1 < document.size(); begin += 32) {
    const auto length =
        static_cast<std::int64_t>(std::min<std::size_t>(32, document.size() - 1 - begin));
    const Tensor ids =
        exact.allocate_persistent({{length}, DType::i32, Role::activation}, Tag::data);
    for (std::int64_t t = 0; t < length; ++t)
      host_span<std::int32_t>(ids)[static_cast<std::size_t>(t)] =
          document[begin + static_cast<std::size_t>(t)];
    const std::vector<double> logits = host_values(model.logits(ids, length));
    for (std::int64_t t = 0; t < length; ++t) {
      const double* row = logits.data() + t * 256;
      double total = 0;
      for (int v = 0; v < 256; ++v) total += std::exp(row[v]);
      sum += std::log(total) - row[document[begin + static_cast<std::size_t>(t) + 1]];
    }
  }
  EXPECT_NEAR(detail.losses[3], sum, 1e-5 * sum);
}

}  // namespace
}  // namespace ffn
