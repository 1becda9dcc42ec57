// Tests that run once per operation, over all its cases of tests/support/op_cases.h.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "ffn/ops/names.h"
#include "support/op_run.h"

namespace ffn::test {

class PerOperation : public testing::TestWithParam<std::string> {
 protected:
  // check(op_case) for every case of the operation; there is at least one (names_test.cpp).
  template <class Check>
  void for_each_case(const Check& check) const {
    for (const OpCase& op_case : op_cases()) {
      if (op_case.op != GetParam()) continue;
      const testing::ScopedTrace trace(__FILE__, __LINE__, op_case.full_name());
      check(op_case);
    }
  }
};

inline std::vector<std::string> all_operations() {
  const auto names = op_names();
  return {names.begin(), names.end()};
}

inline std::string operation_name(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace ffn::test
