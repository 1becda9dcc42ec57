// Training steps of every preset's shape and design: planned to the byte, equal for any number of
// threads, and without a request to the system after the first.
#include "ffn/train/classifier_session.h"

#include <gtest/gtest.h>

#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

constexpr std::int64_t kBatch = 3;

struct SessionCase {
  std::string preset, design;
  DType dtype = DType::f32;
  MemoryMode memory = MemoryMode::store;
};

std::vector<SessionCase> cases() {
  std::vector<SessionCase> all;
  for (const char* preset : {"vit-nano", "deit-tiny", "deit-small"})
    for (const char* design : {"mlp(gelu)", "glu(silu)", "dwconv(gelu)"})
      for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute})
        all.push_back({preset, design, DType::f32, memory});
  all.push_back({"vit-nano", "glu(silu)", DType::bf16, MemoryMode::store});
  all.push_back({"vit-nano", "dwconv(gelu)", DType::bf16, MemoryMode::recompute});
  return all;
}

VitConfig config_of(const SessionCase& c) {
  VitConfig config = vit_preset(c.preset);
  config.image_size = 16;
  config.patch = 4;
  config.classes = 7;
  config.layers = 2;
  config.drop_path = 0.2f;
  config.feed_forward = standard_designs().parse(c.design);
  return config;
}

struct Outcome {
  PlanReport report;
  std::vector<double> losses;
  std::vector<double> weights;
  std::int64_t system_bytes_after_first = 0, system_bytes_at_end = 0;
};

Outcome run(const Device& device, const SessionCase& c) {
  Executor ex(device, c.memory);
  ClassifierSession session(ex, config_of(c), {.dtype = c.dtype, .max_norm = 1, .seed = 3},
                            standard_designs());
  const Tensor images =
      ex.allocate_persistent({{kBatch, 3 * 16 * 16}, DType::f32, Role::activation}, Tag::data);
  const Tensor labels = ex.allocate_persistent({{kBatch}, DType::i32, Role::activation}, Tag::data);
  if (!ex.dry()) {
    const RandomStream stream(1, "images");
    std::uint64_t element = 0;
    for (float& pixel : host_span<float>(images)) pixel = stream.uniform(0, element++) - 0.5f;
    std::int32_t label = 0;
    for (std::int32_t& target : host_span<std::int32_t>(labels)) target = label++;
  }
  Outcome outcome;
  for (int step = 0; step < 3; ++step) {
    outcome.losses.push_back(session.step({images, labels, {}}, step, 1e-3).loss);
    if (step == 1) outcome.system_bytes_after_first = ex.step_memory().system_bytes();
  }
  outcome.system_bytes_at_end = ex.step_memory().system_bytes();
  outcome.report = ex.report();
  if (!ex.dry()) outcome.weights = host_values(session.parameters().weights());
  return outcome;
}

class Session : public testing::TestWithParam<SessionCase> {};

TEST_P(Session, IsPlannedToTheByteAndEqualForAnyThreads) {
  const auto two = make_thread_pool(2);
  const Outcome planned = run(dry_device(cpu_device(*two)), GetParam());
  const Outcome measured = run(cpu_device(*two), GetParam());
  EXPECT_EQ(planned.report, measured.report);
  EXPECT_EQ(measured.system_bytes_after_first, measured.system_bytes_at_end);
  EXPECT_LT(measured.losses[2], measured.losses[0]);

  const Outcome serial = run(cpu_device(serial_pool()), GetParam());
  EXPECT_EQ(serial.losses, measured.losses);
  EXPECT_TRUE(serial.weights == measured.weights);
}

INSTANTIATE_TEST_SUITE_P(Presets, Session, testing::ValuesIn(cases()));

TEST(Session, RecomputingEqualsStoring) {
  SessionCase c{"vit-nano", "dwconv(gelu)"};
  const Outcome stored = run(cpu_device(serial_pool()), c);
  c.memory = MemoryMode::recompute;
  const Outcome recomputed = run(cpu_device(serial_pool()), c);
  EXPECT_EQ(stored.losses, recomputed.losses);
  EXPECT_TRUE(stored.weights == recomputed.weights);
  EXPECT_LT(recomputed.report.peak_bytes, stored.report.peak_bytes);
}

}  // namespace
}  // namespace ffn
