// Runs without a clock, for programs that count instructions: the same number each time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ffn/bench/bench_case.h"

namespace ffn::inline v0 {

// Verifies each case and then runs it `runs` times, each run one call of counted_run() on one
// thread. `announce` gets the case's "suite/name" before them. Cold cases do not take turns: what
// is in the caches changes no count. Errors: those of make_workload().
void run_counted(const std::vector<BenchCase>& cases, int runs,
                 const std::function<void(const std::string&)>& announce);

// Calls `run`: a name to count under (tools/count_instructions).
void counted_run(const std::function<void()>& run);

}  // namespace ffn::inline v0
