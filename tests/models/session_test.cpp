// Training steps of every preset's shape and design: planned to the byte, equal for any number of
// threads, and without a request to the system after the first.
#include <gtest/gtest.h>

#include "models/session_run.h"

namespace ffn {
namespace {

using testing_models::kDesigns;
using testing_models::Outcome;
using testing_models::preset_config;
using testing_models::run_session;
using testing_models::SessionRun;

// Two layers on 16×16 pictures: small enough for three runs of each case.
SessionRun run_of(std::string_view preset, std::string_view design, DType dtype,
                  MemoryMode memory) {
  SessionRun run{.model = preset_config(preset, design, 16, 7), .dtype = dtype, .memory = memory};
  run.model.layers = 2;
  return run;
}

std::vector<SessionRun> cases() {
  std::vector<SessionRun> all;
  for (const std::string_view preset : vit_preset_names())
    for (const std::string_view design : kDesigns)
      for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute})
        all.push_back(run_of(preset, design, DType::f32, memory));
  all.push_back(run_of("vit-nano", "glu(silu)", DType::bf16, MemoryMode::store));
  all.push_back(run_of("vit-nano", "glu(silu)", DType::bf16, MemoryMode::recompute_hidden));
  all.push_back(run_of("vit-nano", "dwconv(gelu)", DType::bf16, MemoryMode::recompute));
  all.push_back(run_of("vit-nano", "leff(gelu)", DType::f32, MemoryMode::recompute));
  all.push_back(run_of("vit-nano", "localvit(hardswish, se=4)", DType::f32, MemoryMode::store));
  all.push_back(run_of("vit-nano", "daff(gelu)", DType::bf16, MemoryMode::recompute));
  return all;
}

Outcome run_with_weights(const Device& device, const SessionRun& run) {
  return run_session(device, run, true);
}

class Session : public testing::TestWithParam<SessionRun> {};

TEST_P(Session, IsPlannedToTheByteAndEqualForAnyThreads) {
  const auto two = make_thread_pool(2);
  const Outcome planned = run_with_weights(dry_device(cpu_device(*two)), GetParam());
  const Outcome measured = run_with_weights(cpu_device(*two), GetParam());
  EXPECT_EQ(planned.report, measured.report);
  EXPECT_EQ(measured.steps[1].system_bytes, measured.steps[2].system_bytes);
  EXPECT_LT(measured.steps[2].loss, measured.steps[0].loss);

  const Outcome serial = run_with_weights(cpu_device(serial_pool()), GetParam());
  EXPECT_EQ(serial.losses(), measured.losses());
  EXPECT_TRUE(serial.weights == measured.weights);
}

INSTANTIATE_TEST_SUITE_P(Presets, Session, testing::ValuesIn(cases()));

void expect_equal_in_less_memory(SessionRun run, MemoryMode memory) {
  run.memory = MemoryMode::store;
  const Outcome stored = run_with_weights(cpu_device(serial_pool()), run);
  run.memory = memory;
  const Outcome recomputed = run_with_weights(cpu_device(serial_pool()), run);
  EXPECT_EQ(stored.losses(), recomputed.losses());
  EXPECT_TRUE(stored.weights == recomputed.weights);
  EXPECT_LT(recomputed.report.peak_bytes, stored.report.peak_bytes);
}

TEST(Session, RecomputingEqualsStoring) {
  expect_equal_in_less_memory(run_of("vit-nano", "dwconv(gelu)", DType::f32, MemoryMode::store),
                              MemoryMode::recompute);
}

TEST(Session, RecomputingHiddenValuesEqualsStoring) {
  for (const DType dtype : {DType::f32, DType::bf16})
    expect_equal_in_less_memory(run_of("vit-nano", "glu(silu)", dtype, MemoryMode::store),
                                MemoryMode::recompute_hidden);
}

}  // namespace
}  // namespace ffn
