#include "ffn/train/expert_json.h"

#include <cmath>
#include <numeric>
#include <string_view>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::ordered_json;

// Of sums of shares, which were rounded once each.
constexpr double kRounding = 1e-9;

void check_equal(double found, double expected, std::string_view key, const std::string& where) {
  check(std::abs(found - expected) <= kRounding * std::max(1.0, std::abs(expected)), ErrorKind::io,
        where, "'", key, "' is ", found, ", its load says ", expected);
}

void check_share(double value, std::string_view key, const std::string& where) {
  check(value >= 0 && value <= 1 + kRounding, ErrorKind::io, where, "'", key, "' is ", value,
        ", no share");
}

}  // namespace

std::vector<double> read_numbers(ObjectReader& reader, const char* key, const std::string& where) {
  std::vector<double> numbers;
  for (const nlohmann::json& value : reader.array(key)) {
    check(value.is_number(), ErrorKind::io, where, "'", key, "' holds something else than numbers");
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

ordered_json to_json(const RouterLoad& router) {
  return {{"layer", router.place.layer},
          {"part", router.place.part},
          {"top", router.top},
          {"warned", router.warned},
          {"tokens", router.load.tokens},
          {"offered", router.load.offered},
          {"dropped", router.load.dropped},
          {"entropy_sum", router.load.entropy_sum},
          {"slots", router.load.slots}};
}

RouterLoad read_router_load(ObjectReader reader) {
  RouterLoad router;
  router.place.layer = reader.integer("layer");
  router.place.part = reader.text("part");
  router.top = reader.integer("top");
  router.warned = reader.boolean("warned");
  router.load.tokens = reader.integer("tokens");
  router.load.offered = reader.integer("offered");
  router.load.dropped = reader.integer("dropped");
  router.load.entropy_sum = reader.number("entropy_sum");
  router.load.slots = read_numbers(reader, "slots", "checkpoint");
  reader.finish();
  return router;
}

ordered_json to_json(const RouterHealth& router) {
  const ExpertHealth& health = router.health;
  return {{"layer", router.place.layer},
          {"part", router.place.part},
          {"top", router.top},
          {"effective_experts", health.effective_experts},
          {"largest_share", health.largest_share},
          {"router_entropy", health.router_entropy},
          {"dropped_share", health.dropped_share},
          {"dead_experts", health.dead_experts},
          {"load", health.load}};
}

RouterHealth read_router_health(ObjectReader& reader, const std::string& where) {
  RouterHealth router;
  router.place.layer = reader.integer("layer");
  router.place.part = reader.text("part");
  router.top = reader.integer("top");
  const double effective = reader.number("effective_experts");
  const double largest = reader.number("largest_share");
  const double entropy = reader.number("router_entropy"), dropped = reader.number("dropped_share");
  const std::int64_t dead = reader.integer("dead_experts");
  const std::vector<double> load = read_numbers(reader, "load", where);
  for (const double share : load) check_share(share, "load", where);
  const double sum = std::accumulate(load.begin(), load.end(), 0.0);
  check(std::abs(sum - 1) <= kRounding, ErrorKind::io, where, "'load' adds up to ", sum, ", not 1");
  router.health = health_of_shares(load);
  check_equal(effective, router.health.effective_experts, "effective_experts", where);
  check_equal(largest, router.health.largest_share, "largest_share", where);
  check(dead == router.health.dead_experts, ErrorKind::io, where, "'dead_experts' is ", dead,
        ", its load says ", router.health.dead_experts);
  check_share(entropy, "router_entropy", where);
  check_share(dropped, "dropped_share", where);
  router.health = {effective, largest, entropy, dropped, dead, load};
  return router;
}

}  // namespace ffn::inline v0
