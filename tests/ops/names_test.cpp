// The list of cases is complete: every operation has cases, every case is of an operation.
#include <algorithm>
#include <map>
#include <set>

#include "ffn/ops/names.h"
#include "ops/case_test.h"

namespace ffn::test {
namespace {

TEST(OpNames, AreSortedAndDifferent) {
  const auto names = op_names();
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(OpNames, HaveCasesAndNoOthers) {
  std::set<std::string_view> tested;
  for (const OpCase& op_case : op_cases()) tested.insert(op_case.op);
  for (const std::string_view name : op_names())
    EXPECT_TRUE(tested.contains(name)) << name << " has no case in tests/support/op_cases_*.cpp";
  for (const std::string_view name : tested)
    EXPECT_TRUE(std::ranges::binary_search(op_names(), name)) << name << " is not in op_names()";
}

TEST(OpNames, CasesHaveDifferentNames) {
  std::set<std::string> seen;
  for (const OpCase& op_case : op_cases())
    EXPECT_TRUE(seen.insert(op_case.full_name()).second)
        << op_case.full_name() << " is there twice";
}

// Per operation: a case without rows, and columns at, below or above a vector's width or an odd
// number.
TEST(OpNames, CasesCoverTheHardShapes) {
  std::map<std::string, std::set<std::int64_t>> cols;
  std::set<std::string> without_rows;
  for (const OpCase& op_case : op_cases()) {
    const Shape& shape = op_case.inputs[0].shape;
    cols[op_case.op].insert(shape.cols());
    for (const CaseInput& input : op_case.inputs)
      if (input.shape.rows() == 0 || input.shape.count() == 0) without_rows.insert(op_case.op);
  }
  for (const std::string_view name : op_names()) {
    EXPECT_TRUE(without_rows.contains(std::string(name))) << name << " has no case without rows";
    const std::set<std::int64_t>& widths = cols[std::string(name)];
    EXPECT_TRUE(std::ranges::any_of(widths, [](std::int64_t w) { return w % 8 != 0; })) << name;
  }
}

}  // namespace
}  // namespace ffn::test
