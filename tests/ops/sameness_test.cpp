// What must not change a bit: the number of threads, donated buffers, rows with a leading
// dimension.
#include "ops/case_test.h"

namespace ffn::test {
namespace {

using OpSameness = PerOperation;

void expect_same(const RunResult& a, const RunResult& b, const std::string& where) {
  EXPECT_TRUE(same_bits(a.output, b.output)) << where << ": outputs differ";
  EXPECT_TRUE(same_bits(a.loss, b.loss)) << where << ": losses differ";
  EXPECT_TRUE(same_bits(a.states, b.states)) << where << ": states differ";
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t i = 0; i < a.gradients.size(); ++i)
    EXPECT_TRUE(same_bits(a.gradients[i], b.gradients[i]))
        << where << ": gradients " << i << " differ";
}

RunResult run_on(const OpCase& op_case, const Device& device, const RunOptions& options) {
  Executor ex(device);
  return run_case(ex, op_case, options);
}

void check_one_two_and_three_threads(const OpCase& op_case) {
  const auto one = make_thread_pool(1), two = make_thread_pool(2), three = make_thread_pool(3);
  for (const Isa isa : supported_isas()) {
    for (const DType compute : {DType::f32, DType::bf16}) {
      RunOptions options;
      options.compute = options.grid = compute;
      options.repeats = op_case.wants_gradient() ? 2 : 1;
      const RunResult alone = run_on(op_case, cpu_device(*one, isa), options);
      const std::string where = std::string(to_string(isa)) + " " + std::string(to_string(compute));
      expect_same(alone, run_on(op_case, cpu_device(*two, isa), options), where + ", 2 threads");
      expect_same(alone, run_on(op_case, cpu_device(*three, isa), options), where + ", 3 threads");
    }
  }
}

TEST_P(OpSameness, OneTwoAndThreeThreads) { for_each_case(check_one_two_and_three_threads); }

// Leaves given away may become results, and gradients take over the buffers they come from; kept
// leaves and parameters allow neither.
void check_donated_and_kept(const OpCase& op_case) {
  const auto threads = make_thread_pool(2);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    RunOptions options;
    const RunResult donated = run_on(op_case, named.device, options);
    options.keep_handles = true;
    expect_same(donated, run_on(op_case, named.device, options), named.name + ", kept leaves");
    options.as_parameters = true;
    expect_same(donated, run_on(op_case, named.device, options), named.name + ", parameters");
  }
}

TEST_P(OpSameness, DonatedAndKept) { for_each_case(check_donated_and_kept); }

void check_contiguous_and_strided(const OpCase& op_case) {
  const auto threads = make_thread_pool(2);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    for (const DType compute : {DType::f32, DType::bf16}) {
      RunOptions options;
      options.compute = options.grid = compute;
      const RunResult contiguous = run_on(op_case, named.device, options);
      options.strided = true;
      expect_same(contiguous, run_on(op_case, named.device, options), named.name + ", strided");
    }
  }
}

TEST_P(OpSameness, ContiguousAndStrided) { for_each_case(check_contiguous_and_strided); }

INSTANTIATE_TEST_SUITE_P(Ops, OpSameness, testing::ValuesIn(all_operations()), operation_name);

}  // namespace
}  // namespace ffn::test
