// What was counted at routers, as JSON: in manifests of checkpoints, in metrics.jsonl and in
// experts.json.
#pragma once

#include "ffn/train/expert_health.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {

nlohmann::ordered_json to_json(const RouterLoad& router);
RouterLoad read_router_load(ObjectReader reader);

// place, top and health; first_choices stay outside.
nlohmann::ordered_json to_json(const RouterHealth& router);
// Takes the keys of the above from a larger object. Refuses numbers that contradict the load, and
// shares that do not sum to 1. Errors: Error{io} naming `where`.
RouterHealth read_router_health(ObjectReader& reader, const std::string& where);

std::vector<double> read_numbers(ObjectReader& reader, const char* key, const std::string& where);

}  // namespace ffn::inline v0
