// experts.json of a finished run: how its routers use their experts on the validation set. Only of
// a model whose routers can be seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/train/expert_health.h"
#include "ffn/train/run_folder.h"

namespace ffn::inline v0 {

// Validation tokens whose first choices are kept, the same in every run on the same data.
inline constexpr std::int64_t kAgreementTokens = 2048;

// Whole or not at all; one line per router. Errors: io.
void write_expert_record(const std::string& run_folder, const std::vector<RouterHealth>& routers);
// Strict: what is unknown, missing, out of range or contradicts the load is refused. Errors: io,
// naming the file.
std::vector<RouterHealth> read_expert_record(const std::string& run_folder);
bool has_expert_record(const std::string& run_folder);

// The line of metrics.jsonl: kind "experts", the step, and the router's health.
std::vector<Metric> expert_metrics(std::int64_t step, const RouterHealth& router);

}  // namespace ffn::inline v0
