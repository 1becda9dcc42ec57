#include "ffn/bench/bench_rounds.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

BenchRounds::BenchRounds(std::vector<BenchCase> cases, int threads)
    : cases_(std::move(cases)),
      pool_(make_thread_pool(threads)),
      on_{choose_isa(), pool_.get(), read_cache_sizes()} {}

const BenchCase& BenchRounds::find(const std::string& key) const {
  const auto found = std::ranges::find_if(
      cases_, [&](const BenchCase& c) { return c.suite + "/" + c.name == key; });
  check(found != cases_.end(), ErrorKind::config, "bench", "there is no case '", key, "'");
  return *found;
}

std::vector<double> BenchRounds::round(const std::string& key) {
  MeasurePlan plan = round_plan();
  if (ready_ != key) {
    const BenchCase& c = find(key);
    ready_.clear();
    work_.reset();  // before the next one takes memory
    work_ = make_workload(c, on_);
    ready_ = key;
    const MeasurePlan first = thorough_plan();
    plan.warm_up = first.warm_up;
    plan.warm_up_s = first.warm_up_s;
  }
  return sample_run(plan, work_->run);
}

std::string BenchRounds::answer(const std::string& key) {
  nlohmann::ordered_json line{{"schema", 1}, {"case", key}};
  try {
    const std::vector<double> ms = round(key);
    line["isa"] = to_string(on_.isa);
    line["threads"] = pool_->size();
    line["verified"] = work_->verified;
    line["measured_bytes"] = nullptr;
    if (work_->measured_bytes) line["measured_bytes"] = work_->measured_bytes();
    line["ms"] = ms;
  } catch (const Error& error) {
    line["error"] = error.what();
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace ffn::inline v0
