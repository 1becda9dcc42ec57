// Routers of models that train: seen, logged, named when they collapse, and not disturbed.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "ffn/base/event_sink.h"
#include "ffn/tensor/host.h"
#include "ffn/train/expert_record.h"
#include "ffn/train/read_metrics.h"
#include "ffn/train/trainer.h"
#include "train/image_files.h"
#include "train/made_up_text.h"

namespace ffn {
namespace {

using namespace test;

TrainConfig text_config(const std::string& design, MemoryMode memory = MemoryMode::store) {
  TrainConfig config;
  DecoderConfig model = decoder_preset("lm-pico");
  model.tokens = 32;
  model.kv_heads = 1;
  model.feed_forward = standard_designs().parse(design);
  config.model = model;
  config.memory = memory;
  config.run.batch = 8;
  config.run.seed = 5;
  config.run.eval_steps = 4;
  config.run.read_test = false;
  config.run.schedule = {.lr = 3e-3, .warmup_steps = 2, .total_steps = 10};
  return config;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Warnings {
  Warnings() {
    before_ = set_event_sink([this](const Event& event) {
      if (event.severity == Severity::warning) texts.emplace_back(event.text);
    });
  }
  ~Warnings() { set_event_sink(before_); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  std::vector<std::string> texts;

 private:
  EventSink before_;
};

// Trains in `folder`, a new run or one to go on with; stops after `steps` unless that is 0.
TrainOutcome train(const TrainConfig& config, const TaskData& data, const std::string& folder,
                   std::int64_t steps = 0, std::int64_t checkpoint_steps = 0) {
  if (!std::filesystem::exists(folder + "/run.json"))
    create_run_folder(folder, description_of(config));
  Executor ex(cpu_device(serial_pool()), config.memory);
  Trainer trainer(ex, config, data, folder);
  std::int64_t done = 0;
  return trainer.run(
      checkpoint_steps, [&](const TrainProgress& now) { done = now.step; },
      [&] { return steps > 0 && done >= steps; });
}

// A folder to start from: every router's weights are 0, so that all logits are, and ties go to
// expert 0. With K = 1 its weight is 1 whatever its score, so that no gradient reaches the router
// unless a loss asks for balance.
std::string folder_of_equal_logits(const TrainConfig& config, const TaskData& data,
                                   const TemporaryFolder& folder) {
  Executor ex(cpu_device(serial_pool()));
  const auto task =
      make_task(ex, config.model, data, task_options(config, false), standard_designs());
  std::int64_t routers = 0;
  for (Parameter& parameter : task->parameters().all()) {
    if (!parameter.name.ends_with(".mlp.gate.weight")) continue;
    ++routers;
    set_host_values(parameter.stored(),
                    std::vector<double>(static_cast<std::size_t>(parameter.shape.count()), 0.0));
  }
  EXPECT_EQ(routers, layers_of(config.model));
  const std::string path = (folder / "start").string();
  task->write_model(path);
  return path;
}

TEST(ExpertTraining, ACollapseIsNamedOnceForEachLayer) {
  const TemporaryFolder folder;
  const TaskData data = made_up_data();
  TrainConfig config = text_config("moe(4, mlp(gelu, hidden=24), top=1, balance=0)");
  config.start_folder = folder_of_equal_logits(config, data, folder);
  const std::string run = (folder / "run").string();
  Warnings warnings;
  const TrainOutcome outcome = train(config, data, run);
  const auto layers = static_cast<std::size_t>(layers_of(config.model));
  ASSERT_EQ(warnings.texts.size(), layers);
  for (std::size_t layer = 0; layer < layers; ++layer)
    EXPECT_EQ(warnings.texts[layer],
              "layer " + std::to_string(layer) +
                  ": its router sends all slots to 1 of 4 experts; a load-balance loss (balance=) "
                  "or bias_rate= spreads the load");
  // Validations after 4, 8 and 10 steps.
  const RunMetrics metrics = read_metrics(run);
  ASSERT_EQ(metrics.experts.size(), 3 * layers);
  for (std::size_t i = 0; i < metrics.experts.size(); ++i) {
    const ExpertMetric& line = metrics.experts[i];
    EXPECT_EQ(line.step, (std::vector<std::int64_t>{4, 8, 10})[i / layers]);
    EXPECT_EQ(line.router.place.layer, static_cast<std::int64_t>(i % layers));
    EXPECT_EQ(line.router.health.effective_experts, 1);
    EXPECT_EQ(line.router.health.dead_experts, 3);
    EXPECT_NEAR(line.router.health.router_entropy, 1, 1e-6) << "no preference, ties alone";
  }
  ASSERT_EQ(outcome.experts.size(), layers);
  EXPECT_EQ(outcome.experts[0].health.load, (std::vector<double>{1, 0, 0, 0}));
  EXPECT_EQ(read_expert_record(run).at(1).health.effective_experts, 1);
}

// The same start with a loss for balance: the load spreads, and nothing is said.
TEST(ExpertTraining, ALossForBalanceUndoesIt) {
  const TemporaryFolder folder;
  const TaskData data = made_up_data();
  TrainConfig config = text_config("moe(4, mlp(gelu, hidden=24), top=1, balance=1)");
  config.start_folder = folder_of_equal_logits(config, data, folder);
  config.run.eval_steps = 0;
  config.run.schedule.total_steps = 60;
  Warnings warnings;
  const TrainOutcome outcome = train(config, data, (folder / "run").string());
  for (const RouterHealth& router : outcome.experts)
    EXPECT_GT(router.health.effective_experts, 2) << load_text(router);
  EXPECT_EQ(warnings.texts, std::vector<std::string>());
}

TEST(ExpertTraining, EveryDesignShowsItsRouters) {
  const TaskData data = made_up_data();
  const auto layers = static_cast<std::size_t>(layers_of(text_config("mlp(gelu)").model));
  // Of every byte of the validation text, each predicted once.
  const auto bytes = static_cast<std::size_t>(std::get<TextData>(data).validation.total_bytes());
  struct Design {
    const char* text;
    std::size_t routers_of_a_layer, experts;
    std::int64_t top;
  };
  for (const Design& design :
       {Design{"switch(3, mlp(gelu, hidden=16), capacity=0.5)", 1, 3, 1},
        Design{"moe(4, glu(silu, hidden=16), top=2)", 1, 4, 2},
        Design{"deepseek-moe(5, mlp(gelu, hidden=8), top=2, scores=sigmoid, bias_rate=0.01)", 1, 5,
               2},
        Design{"lora-moe(2, glu(gelu, hidden=16))", 3, 2, 1}, Design{"mlp(gelu)", 0, 0, 0}}) {
    SCOPED_TRACE(design.text);
    const TemporaryFolder folder;
    const std::string run = folder.path().string() + "/run";
    TrainConfig config = text_config(design.text);
    config.run.schedule.total_steps = 4;
    const TrainOutcome outcome = train(config, data, run);
    EXPECT_EQ(outcome.experts.size(), layers * design.routers_of_a_layer);
    const RunMetrics metrics = read_metrics(run);
    EXPECT_EQ(metrics.experts.size(), outcome.experts.size());
    EXPECT_EQ(has_expert_record(run), design.routers_of_a_layer > 0);
    for (const RouterHealth& router : outcome.experts) {
      EXPECT_EQ(router.health.load.size(), design.experts);
      EXPECT_EQ(router.top, design.top);
      EXPECT_EQ(router.first_choices.size(), std::min<std::size_t>(bytes, kAgreementTokens));
      EXPECT_GT(router.health.router_entropy, 0.1);
    }
    // Of the training steps: half as many places as tokens, or one for each.
    const bool bounded = std::string_view(design.text).starts_with("switch");
    for (const ExpertMetric& line : metrics.experts)
      EXPECT_TRUE(bounded ? line.router.health.dropped_share > 0.49
                          : line.router.health.dropped_share == 0);
  }
}

ImageData made_up_pictures() {
  ImageData data;
  data.name = "made up";
  data.train = small_set(64, 1, 8, 4);
  data.validation = small_set(20, 1, 8, 4);
  data.test = small_set(20, 1, 8, 4);
  data.statistics = {{0.5}, {0.25}};
  return data;
}

// 20 pictures in a block of 256: the others fill it up. Every expert takes its tokens from each
// picture, so that the load stays even.
TEST(ExpertTraining, PicturesWhoseExpertsChoose) {
  const TaskData data = made_up_pictures();
  TrainConfig config;
  VitConfig model = vit_preset("vit-pico");
  model.image_size = 8;
  model.patch = 4;
  model.channels = 1;
  model.classes = 4;
  for (const char* design : {"expert-choice(3, mlp(gelu, hidden=16), capacity=1)",
                             "soft-moe(2, mlp(gelu, hidden=16))"}) {
    SCOPED_TRACE(design);
    model.feed_forward = standard_designs().parse(design);
    config.model = model;
    config.run.batch = 16;
    config.run.schedule = {.lr = 1e-3, .total_steps = 3};
    const TemporaryFolder folder;
    const TrainOutcome outcome = train(config, data, folder.path().string() + "/run");
    if (std::string_view(design).starts_with("soft")) {
      EXPECT_TRUE(outcome.experts.empty());
      continue;
    }
    ASSERT_EQ(outcome.experts.size(), static_cast<std::size_t>(layers_of(config.model)));
    for (const RouterHealth& router : outcome.experts) {
      EXPECT_NEAR(router.health.effective_experts, 3, 1e-12);
      // Four tokens of a picture, one for each of three experts: some token is left out.
      EXPECT_GE(router.health.dropped_share, 0.25);
      EXPECT_EQ(router.first_choices.size(), 20u * 4);
    }
  }
}

// A killed run has forgotten nothing of the window that it was in.
TEST(ExpertTraining, AResumedRunWritesTheSameLines) {
  const TemporaryFolder folder;
  const TaskData data = made_up_data();
  const TrainConfig config = text_config("moe(4, mlp(gelu, hidden=24), top=2)");
  const std::string whole = (folder / "whole").string(), parts = (folder / "parts").string();
  train(config, data, whole);
  train(config, data, parts, 3);
  train(config, data, parts, 6);
  const TrainOutcome last = train(config, data, parts);
  EXPECT_TRUE(last.finished);
  for (const char* name : {"/metrics.jsonl", "/experts.json", "/result.json"})
    EXPECT_EQ(text_of(parts + name), text_of(whole + name)) << name;
  EXPECT_NE(text_of(whole + "/metrics.jsonl").find("\"kind\":\"experts\""), std::string::npos);
}

TEST(ExpertTraining, WatchingChangesNoBitAndNoByte) {
  const TaskData data = made_up_data();
  for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute}) {
    for (const char* design :
         {"moe(4, mlp(gelu, hidden=24), top=2)", "lora-moe(2, mlp(gelu, hidden=24))"}) {
      SCOPED_TRACE(design);
      const TrainConfig config = text_config(design, memory);
      std::vector<double> losses[2];
      std::int64_t peaks[2] = {};
      for (const bool watched : {false, true}) {
        Executor ex(cpu_device(serial_pool()), memory);
        const auto task =
            make_task(ex, config.model, data, task_options(config, true), standard_designs());
        ExpertWatch watch(ex, watched ? feed_forward_taps(config.model, standard_designs())
                                      : std::vector<std::string>());
        task->set_watch(&watch);
        OptimizerStep step(ex, task->parameters(), step_options(config));
        for (int i = 0; i < 4; ++i) {
          task->fill(0, i);
          losses[watched].push_back(step.run(i, 3e-3, [&] { return task->loss(); }).loss);
        }
        // Each token of the batches counted once, also where it was computed again.
        const std::vector<RouterLoad> loads = watch.loads();
        EXPECT_EQ(loads.empty(), !watched);
        for (const RouterLoad& load : loads) EXPECT_EQ(load.load.tokens, 4 * 8 * 32);
        losses[watched].push_back(task->score(Split::validation, nullptr).loss);
        peaks[watched] = ex.report().peak_bytes;
      }
      EXPECT_EQ(losses[0], losses[1]);
      EXPECT_EQ(peaks[0], peaks[1]);
    }
  }
}

}  // namespace
}  // namespace ffn
