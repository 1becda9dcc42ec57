#include "ffn/train/expert_record.h"

#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/train/expert_json.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kSchema = 1;

std::string path_in(const std::string& run_folder) { return run_folder + "/experts.json"; }

std::vector<std::int32_t> read_choices(ObjectReader& reader, std::size_t experts,
                                       const std::string& path) {
  std::vector<std::int32_t> choices;
  for (const nlohmann::json& value : reader.array("first_choices")) {
    check(value.is_number_unsigned() && value.get<std::uint64_t>() < experts, ErrorKind::io, path,
          "'routers.first_choices' names an expert that is not there");
    choices.push_back(value.get<std::int32_t>());
  }
  return choices;
}

}  // namespace

void write_expert_record(const std::string& run_folder, const std::vector<RouterHealth>& routers) {
  std::string text = "{\"schema\":" + std::to_string(kSchema) + ",\"routers\":[";
  for (std::size_t i = 0; i < routers.size(); ++i) {
    nlohmann::ordered_json router = to_json(routers[i]);
    router["first_choices"] = routers[i].first_choices;
    text += (i > 0 ? ",\n" : "\n") + router.dump();
  }
  AtomicFile file(path_in(run_folder));
  file.write(text + "\n]}\n");
  file.commit();
}

std::vector<RouterHealth> read_expert_record(const std::string& run_folder) {
  const std::string path = path_in(run_folder);
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  std::vector<RouterHealth> routers;
  for (const nlohmann::json& entry : reader.array("routers")) {
    ObjectReader one(entry, path, "routers.");
    RouterHealth router = read_router_health(one, path);
    router.first_choices = read_choices(one, router.health.load.size(), path);
    one.finish();
    routers.push_back(std::move(router));
  }
  reader.finish();
  return routers;
}

bool has_expert_record(const std::string& run_folder) {
  std::error_code ignored;
  return std::filesystem::exists(path_in(run_folder), ignored);
}

std::vector<Metric> expert_metrics(std::int64_t step, const RouterHealth& router) {
  const ExpertHealth& health = router.health;
  return {{"kind", std::string("experts")},
          {"step", step},
          {"layer", router.place.layer},
          {"part", router.place.part},
          {"top", router.top},
          {"effective_experts", health.effective_experts},
          {"largest_share", health.largest_share},
          {"router_entropy", health.router_entropy},
          {"dropped_share", health.dropped_share},
          {"dead_experts", health.dead_experts},
          {"load", health.load}};
}

}  // namespace ffn::inline v0
