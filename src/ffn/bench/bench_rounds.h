// Cases measured a round at a time, when asked: so that another program can be measured in turn.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ffn/bench/workload.h"

namespace ffn::inline v0 {

// The case asked for last stays ready, so that only its first round verifies it and warms it up
// for long. The machine's limits are not measured: nothing but the case runs between two samples.
class BenchRounds {
 public:
  BenchRounds(std::vector<BenchCase> cases, int threads);

  // One round of the case "suite/name" as a line of JSON:
  // {"schema": 1, "case": "ffn/…", "isa": "avx2", "threads": 2, "verified": "37 rows whole",
  //  "measured_bytes": 1234 or null, "ms": [milliseconds of one run, a number per sample]};
  // {"schema": 1, "case": "…", "error": "…"} when there is no such case or its result is wrong.
  std::string answer(const std::string& key);

 private:
  const BenchCase& find(const std::string& key) const;
  std::vector<double> round(const std::string& key);

  std::vector<BenchCase> cases_;
  std::unique_ptr<ThreadPool> pool_;
  BenchMachine on_;
  std::string ready_;  // the key that work_ is of
  std::optional<Workload> work_;
};

}  // namespace ffn::inline v0
