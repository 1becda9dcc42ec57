// The lines of metrics.jsonl, read back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/train/expert_health.h"

namespace ffn::inline v0 {

struct StepMetric {
  std::int64_t step = 0;  // steps done
  double loss = 0;        // NaN where it was not finite
};

struct ValidationMetric {
  std::int64_t step = 0;
  double accuracy = 0, loss = 0;
};

// Of the training steps since the line before of that router.
struct ExpertMetric {
  std::int64_t step = 0;
  RouterHealth router;
};

struct RunMetrics {
  std::vector<StepMetric> steps;
  std::vector<ValidationMetric> validations;
  std::vector<ExpertMetric> experts;  // of models with routers
};

// Throws Error{io} naming the file and the line that is damaged.
RunMetrics read_metrics(const std::string& run_folder);

}  // namespace ffn::inline v0
