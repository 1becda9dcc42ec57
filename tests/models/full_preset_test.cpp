// Every preset in full depth with every design: the dry run foretells the memory of training to the
// byte, the executor's own count is what operator new saw, and no step after the first needs more
// than the slab that the first one laid out.
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <string>

#include "models/session_run.h"

// Under the address sanitizer a step costs three times as much; there one picture walks the same
// path, and the two smallest presets stand for all: session_test.cpp runs the others' code in two
// layers.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FFN_TEST_SANITIZED
#endif
#endif

namespace ffn {
namespace {

using testing_models::kDesigns;
using testing_models::Outcome;
using testing_models::preset_config;
using testing_models::run_session;
using testing_models::SessionRun;

struct FullCase {
  std::string preset, design;
  MemoryMode memory = MemoryMode::store;
};

#if defined(FFN_TEST_SANITIZED)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::vector<FullCase> cases() {
  std::vector<FullCase> all;
  std::vector<std::string_view> presets = vit_preset_names();  // by size
  if (kSanitized) presets.resize(2);
  for (const std::string_view preset : presets)
    for (const std::string_view design : kDesigns)
      for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute})
        all.push_back({std::string(preset), std::string(design), memory});
  return all;
}

std::string name_of(const testing::TestParamInfo<FullCase>& info) {
  std::string name = info.param.preset + "_" + info.param.design;
  name += info.param.memory == MemoryMode::store ? "store" : "recompute";
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

SessionRun run_of(const FullCase& c) {
  return {.model = preset_config(c.preset, c.design, 32, 100),
          .memory = c.memory,
          .batch = kSanitized ? 1 : 2,
          .steps = 2};
}

class FullPreset : public testing::TestWithParam<FullCase> {};

TEST_P(FullPreset, IsPlannedToTheByte) {
  const auto two = make_thread_pool(2);
  const SessionRun run = run_of(GetParam());
  const Outcome planned = run_session(dry_device(cpu_device(*two)), run);
  const Outcome measured = run_session(cpu_device(*two), run);
  EXPECT_EQ(planned.report.peak_bytes, measured.report.peak_bytes);
  EXPECT_EQ(planned.report, measured.report);
  for (std::size_t step = 0; step < measured.steps.size(); ++step) {
    EXPECT_TRUE(std::isfinite(measured.steps[step].loss));
    if (!testing_support::counting()) continue;
    EXPECT_EQ(planned.steps[step].counted_bytes, 0) << "a dry run takes no memory";
    EXPECT_EQ(measured.steps[step].counted_bytes, measured.steps[step].system_bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, FullPreset, testing::ValuesIn(cases()), name_of);

// The first step finds out what a step needs, and holds no more than was in use at once; as the
// second one begins, one slab takes the place of its buffers, and that is all for the rest of the
// run. Buffers with fixed places fit together less well: 102.0 MB here for 101.8.
TEST(FullPreset, StepsOfDeitTinyTakeNothingAfterTheFirst) {
  const auto two = make_thread_pool(2);
  SessionRun run = run_of({"deit-tiny", "mlp(gelu)"});
  run.steps = 4;
  const Outcome outcome = run_session(cpu_device(*two), run);
  EXPECT_LE(outcome.steps[0].system_bytes, outcome.report.peak_bytes);
  EXPECT_LE(outcome.steps[1].system_bytes - outcome.report.peak_bytes,
            outcome.report.peak_bytes / 100);
  if (testing_support::counting()) {
    EXPECT_EQ(outcome.steps[1].counted_allocations, 1) << "the slab";
  }
  for (std::size_t step = 2; step < outcome.steps.size(); ++step) {
    EXPECT_EQ(outcome.steps[step].system_bytes, outcome.steps[1].system_bytes);
    EXPECT_EQ(outcome.steps[step].counted_allocations, 0);
  }
}

}  // namespace
}  // namespace ffn
