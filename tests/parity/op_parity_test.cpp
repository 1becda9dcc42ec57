// Outputs and all gradients of every operation against PyTorch, on every device.
#include <algorithm>
#include <filesystem>
#include <ostream>
#include <set>
#include <vector>

#include "ffn/ops/names.h"
#include "runners.h"

namespace ffn::parity {
namespace {

struct OpCase {
  std::filesystem::path path;
  Place place;
};
std::ostream& operator<<(std::ostream& out, const OpCase& op) {
  return out << op.path.stem().string() << "_on_" << op.place;
}

std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  for (const auto& path : fixture_files("ops")) {
    for (const Place& place : places()) cases.push_back({path, place});
  }
  return cases;
}

class OpParity : public testing::TestWithParam<OpCase> {};

TEST_P(OpParity, MatchesPyTorch) {
  const auto& [path, place] = GetParam();
  const Fixture fixture(path);
  const Runner* runner = find_runner(fixture.op());
  ASSERT_NE(runner, nullptr) << "no runner for operation '" << fixture.op() << "'";
  Executor ex(place.device());
  CaseRun run(ex, fixture, place.dtype());
  {
    const StepScope step(ex);
    const Value y = runner->run(run);
    run.finish(y, place);
  }
  run.finish_states(place);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, OpParity, testing::ValuesIn(op_cases()),
                         testing::PrintToStringParamName());

// Operations without a fixture, and why.
struct Excluded {
  std::string_view op, reason;
};
constexpr Excluded kExcluded[] = {
    {"cache_append", "a copy into state without gradient; PyTorch has no such operation"},
    {"cast", "changes the dtype, and parity runs in one: rounding is tested bit by bit in base"},
    {"dense_layer",
     "equal to its composition, which has fixtures (tests/ops); the designs have some"},
    {"drop_path", "its mask comes from our own counter-based stream, as dropout's"},
    {"dropout", "its mask comes from our own counter-based stream, which PyTorch does not have"},
    {"expert_layer", "equal to its composition, which has fixtures, bit for bit (tests/ops)"},
    {"jitter", "its numbers come from our own counter-based stream, as dropout's mask"},
};

TEST(ParityCoverage, EveryOperationHasAFixtureOrAReason) {
  std::set<std::string_view> covered, excluded;
  for (const auto& path : fixture_files("ops")) {
    const Runner* runner = find_runner(Fixture(path).op());
    ASSERT_NE(runner, nullptr) << path << " has an unknown operation";
    covered.insert(runner->covers.begin(), runner->covers.end());
  }
  for (const Excluded& entry : kExcluded) {
    EXPECT_FALSE(covered.contains(entry.op)) << entry.op << " is excluded and covered";
    EXPECT_FALSE(entry.reason.empty());
    excluded.insert(entry.op);
  }
  const auto names = op_names();
  for (const std::string_view name : names)
    EXPECT_TRUE(covered.contains(name) || excluded.contains(name))
        << "operation '" << name << "' has no parity fixture";
  for (const auto* list : {&covered, &excluded}) {
    for (const std::string_view name : *list)
      EXPECT_NE(std::find(names.begin(), names.end(), name), names.end())
          << "'" << name << "' is no operation";
  }
}

TEST(ParityCoverage, EveryRunnerHasAFixture) {
  std::set<std::string> ops;
  for (const auto& path : fixture_files("ops")) ops.insert(Fixture(path).op());
  for (const Runner& runner : runners())
    EXPECT_TRUE(ops.contains(std::string(runner.op))) << runner.op;
}

}  // namespace
}  // namespace ffn::parity
