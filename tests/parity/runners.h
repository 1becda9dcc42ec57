// Fixture operation → what it is in this library.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "case_run.h"

namespace ffn::parity {

struct Runner {
  std::string_view op;                   // of the fixture
  std::vector<std::string_view> covers;  // names of ffn/ops/names.h that it exercises
  Value (*run)(CaseRun& run);            // returns y
};

std::span<const Runner> runners();
// Those of pictures and tokens, part of runners().
std::vector<Runner> token_runners();
// Those of mixtures of experts, part of runners().
std::vector<Runner> routing_runners();
// Those of a router's losses and what stands around experts, part of runners().
std::vector<Runner> router_runners();
// nullptr when there is none.
const Runner* find_runner(std::string_view op);

}  // namespace ffn::parity
