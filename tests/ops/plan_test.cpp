// Predicted == measured: a dry run of every case sees the same bytes, by tag and in total, the same
// slab and the same flops as the run itself; and the step replayed from the slab gives the same
// bits.
#include "ffn/base/allocator.h"
#include "ops/case_test.h"

namespace ffn::test {
namespace {

using OpPlan = PerOperation;

// Guard mode keeps buffers out of the slab; here the slab is what is tested.
class WithoutGuards {
 public:
  WithoutGuards() { set_guard_bytes(false); }
  ~WithoutGuards() { set_guard_bytes(true); }
};

struct Steps {
  RunResult first, second;
  PlanReport report;
  std::int64_t live_bytes = 0;
  bool replayed = false;
};

Steps run_two_steps(const OpCase& op_case, const Device& device, const RunOptions& options) {
  Executor ex(device);
  Steps steps;
  {
    const StepScope step(ex);
    steps.first = run_case(ex, op_case, options);
  }
  {
    const StepScope step(ex);
    steps.second = run_case(ex, op_case, options);
  }
  steps.report = ex.report();
  steps.live_bytes = ex.ledger().live_bytes();
  steps.replayed = ex.step_memory().replayed();
  return steps;
}

void expect_predicted(const OpCase& op_case, const Device& device, const RunOptions& options,
                      const std::string& where) {
  const Steps real = run_two_steps(op_case, device, options);
  const Steps dry = run_two_steps(op_case, dry_device(device), options);
  EXPECT_EQ(real.report.peak_bytes, dry.report.peak_bytes) << where;
  EXPECT_EQ(real.report.peak_by_tag, dry.report.peak_by_tag) << where;
  EXPECT_EQ(real.report.slab_bytes, dry.report.slab_bytes) << where;
  EXPECT_EQ(real.report.forward_flops, dry.report.forward_flops) << where;
  EXPECT_EQ(real.report.backward_flops, dry.report.backward_flops) << where;
  EXPECT_EQ(real.report, dry.report) << where;
  EXPECT_EQ(real.live_bytes, 0) << where << ": buffers were not given back";
  EXPECT_EQ(dry.live_bytes, 0) << where;
  EXPECT_TRUE(real.replayed) << where << ": the second step left the trace";
  EXPECT_TRUE(same_bits(real.first.output, real.second.output)) << where;
  EXPECT_TRUE(same_bits(real.first.loss, real.second.loss)) << where;
  for (std::size_t i = 0; i < real.first.gradients.size(); ++i)
    EXPECT_TRUE(same_bits(real.first.gradients[i], real.second.gradients[i])) << where;
}

void check_predicted_is_measured(const OpCase& op_case) {
  const WithoutGuards without_guards;
  const auto threads = make_thread_pool(2);
  std::vector<NamedDevice> devices = cpu_devices(*threads);
  devices.push_back({reference_device(), "reference"});
  for (const NamedDevice& named : devices) {
    for (const DType compute : {DType::f32, DType::bf16}) {
      for (const bool as_parameters : {false, true}) {
        RunOptions options;
        options.compute = options.grid = compute;
        options.as_parameters = as_parameters;
        expect_predicted(op_case, named.device, options,
                         named.name + " " + std::string(to_string(compute)) +
                             (as_parameters ? " parameters" : " leaves"));
      }
    }
  }
}

TEST_P(OpPlan, PredictedIsMeasured) { for_each_case(check_predicted_is_measured); }

INSTANTIATE_TEST_SUITE_P(Ops, OpPlan, testing::ValuesIn(all_operations()), operation_name);

}  // namespace
}  // namespace ffn::test
