#include "ffn/compare/compare_config.h"

#include <filesystem>
#include <set>

#include "ffn/base/error.h"
#include "ffn/train/recipe_json.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kSchema = 2;

std::string path_in(const std::string& folder) { return folder + "/comparison.json"; }

ordered_json config_json(const CompareConfig& config) {
  return {{"title", config.title},
          {"scale", config.scale},
          {"question", config.question},
          {"claim", config.claim},
          {"model", config.model.model},
          {"patch", config.model.patch},
          {"context", config.model.decoder.context},
          {"kv_heads", config.model.decoder.kv_heads},
          {"parallel", config.model.decoder.parallel},
          {"free_head", config.model.decoder.free_head},
          {"feed_forward", config.model.feed_forward},
          {"match", config.model.match},
          {"match_to", config.model.match_to},
          {"recipe", recipe_json(config.recipe)},
          {"seeds", config.seeds},
          {"learning_rates", config.learning_rates},
          {"margin", config.margin}};
}

// An array whose elements all are of one type.
template <class T>
std::vector<T> read_list(const json& array, const std::string& where, const char* key,
                         bool (json::*is_type)() const noexcept) {
  std::vector<T> list;
  for (const json& element : array) {
    check((element.*is_type)(), ErrorKind::io, where, "'", key, "' has an element of another type");
    list.push_back(element.get<T>());
  }
  return list;
}

CompareConfig read_config(ObjectReader reader, const std::string& where) {
  CompareConfig config;
  config.title = reader.text("title");
  config.scale = reader.text("scale");
  config.question = reader.text("question");
  config.claim = reader.text("claim");
  config.model.model = reader.text("model");
  config.model.patch = reader.integer("patch");
  config.model.decoder = {.context = reader.integer("context"),
                          .kv_heads = reader.integer("kv_heads"),
                          .parallel = reader.boolean("parallel"),
                          .free_head = reader.boolean("free_head")};
  config.model.feed_forward =
      read_list<std::string>(reader.array("feed_forward"), where, "feed_forward", &json::is_string);
  config.model.match = reader.text("match");
  config.model.match_to = reader.text("match_to");
  read_recipe(reader.object("recipe"), config.recipe);
  config.seeds =
      read_list<std::uint64_t>(reader.array("seeds"), where, "seeds", &json::is_number_unsigned);
  config.learning_rates =
      read_list<double>(reader.array("learning_rates"), where, "learning_rates", &json::is_number);
  config.margin = reader.number("margin");
  reader.finish();
  return config;
}

SolvedDesign read_design(ObjectReader reader) {
  SolvedDesign solved;
  solved.label = reader.text("label");
  solved.design = reader.text("design");
  solved.match_ratio = reader.number("match_ratio");
  reader.finish();
  return solved;
}

}  // namespace

void check_compare_config(const CompareConfig& config) {
  const auto require = [](bool ok, std::string_view option, const auto&... parts) {
    check(ok, ErrorKind::config, option, parts...);
  };
  require(!config.model.feed_forward.empty(), "--ffn", "name at least one design to compare");
  std::error_code ignored;
  require(!std::filesystem::is_directory(config.model.model, ignored), "--model",
          "a comparison trains from scratch: name a preset (ffn zoo models), not a folder");
  require(!config.seeds.empty() && config.seeds.size() <= 1000, "--seeds", "are ",
          config.seeds.size(), "; expected 1 to 1000");
  require(std::set(config.seeds.begin(), config.seeds.end()).size() == config.seeds.size(),
          "--seeds", "a seed stands there twice");
  require(config.margin >= 0 && config.margin < 1, "--margin", "is ", config.margin,
          "; expected 0 to 1 (100 points, or 1 bit per byte), 1 excluded");
  for (const double rate : config.learning_rates)
    require(rate > 0 && rate <= 10, "--lr-grid", "has ", rate, "; expected above 0, up to 10");
  require(config.learning_rates.size() != 1, "--lr-grid",
          "has one rate: nothing is chosen; give it with --lr");
}

std::string comparison_json(const Comparison& comparison) {
  ordered_json designs = ordered_json::array();
  for (const SolvedDesign& solved : comparison.designs)
    designs.push_back(
        {{"label", solved.label}, {"design", solved.design}, {"match_ratio", solved.match_ratio}});
  const ordered_json object{{"schema", kSchema},
                            {"config", config_json(comparison.config)},
                            {"designs", std::move(designs)}};
  try {
    return object.dump(2) + "\n";
  } catch (const json::exception&) {
    fail(ErrorKind::config, "compare", "a text of the comparison is not UTF-8");
  }
}

bool has_comparison(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(path_in(folder), ignored);
}

Comparison read_comparison(const std::string& folder) {
  const std::string path = path_in(folder);
  const json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  Comparison comparison;
  comparison.config = read_config(reader.object("config"), path);
  for (const json& element : reader.array("designs"))
    comparison.designs.push_back(read_design(ObjectReader(element, path, "designs.")));
  reader.finish();
  check(comparison.designs.size() == comparison.config.model.feed_forward.size(), ErrorKind::io,
        path, "has ", comparison.designs.size(), " designs, asked for were ",
        comparison.config.model.feed_forward.size());
  return comparison;
}

void check_same(const Comparison& found, const CompareConfig& config, const std::string& folder) {
  const ordered_json there = config_json(found.config), asked = config_json(config);
  for (const auto& [key, value] : asked.items())
    check(there.at(key) == value, ErrorKind::config, folder, "holds another comparison: its '", key,
          "' is ", there.at(key).dump().substr(0, 120), ", asked for is ",
          value.dump().substr(0, 120), "; choose another folder");
}

}  // namespace ffn::inline v0
