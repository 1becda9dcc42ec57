#include "ffn/compare/experiment.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "ffn/base/error.h"
#include "ffn/train/recipe_json.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::json;

// What the file and its scale say for every part.
void read_model(ObjectReader& reader, CompareConfig& config) {
  if (reader.has("model")) config.model.model = reader.text("model");
  if (reader.has("patch")) config.model.patch = reader.integer("patch");
  DecoderOptions& decoder = config.model.decoder;
  if (reader.has("context")) decoder.context = reader.integer("context");
  if (reader.has("kv_heads")) decoder.kv_heads = reader.integer("kv_heads");
  if (reader.has("parallel")) decoder.parallel = reader.boolean("parallel");
  if (reader.has("free_head")) decoder.free_head = reader.boolean("free_head");
  if (reader.has("recipe")) read_recipe(reader.object("recipe"), config.recipe);
}

void read_scale(ObjectReader reader, const std::string& path, CompareConfig& config) {
  const std::int64_t seeds = reader.integer("seeds");
  check(seeds >= 1 && seeds <= 1000, ErrorKind::io, path, "'seeds' is ", seeds,
        "; expected 1 to 1000");
  config.seeds.resize(static_cast<std::size_t>(seeds));
  std::iota(config.seeds.begin(), config.seeds.end(), 1);
  read_model(reader, config);
  if (reader.has("learning_rates")) {
    for (const json& rate : reader.array("learning_rates")) {
      check(rate.is_number(), ErrorKind::io, path,
            "'learning_rates' has an element that is no number");
      config.learning_rates.push_back(rate.get<double>());
    }
  }
  reader.finish();
}

// A part's name is a folder's: nothing that could lead out of it.
void check_name(const std::string& name, const std::string& path) {
  const bool plain = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  check(plain && name != "runs" && name != "plots", ErrorKind::io, path, "the part's name '", name,
        "' must be of a-z, 0-9 and '-', at most 64, and neither runs nor plots");
}

ExperimentPart read_part(ObjectReader reader, const std::string& path, CompareConfig config) {
  ExperimentPart part{reader.text("name"), std::move(config)};
  check_name(part.name, path);
  if (reader.has("title")) part.config.title = reader.text("title");
  for (const json& design : reader.array("feed_forward")) {
    check(design.is_string(), ErrorKind::io, path, "'feed_forward' has an element that is no text");
    part.config.model.feed_forward.push_back(design.get<std::string>());
  }
  if (reader.has("match")) part.config.model.match = reader.text("match");
  if (reader.has("match_to")) part.config.model.match_to = reader.text("match_to");
  if (reader.has("recipe")) read_recipe(reader.object("recipe"), part.config.recipe);
  reader.finish();
  check_compare_config(part.config);
  return part;
}

}  // namespace

Experiment read_experiment(const std::string& path, bool full) {
  const json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(1);
  Experiment experiment;
  experiment.name = std::filesystem::path(path).stem().string();
  experiment.question = reader.text("question");
  if (reader.has("claim")) experiment.claim = reader.text("claim");

  CompareConfig common;
  common.question = experiment.question;
  common.claim = experiment.claim;
  common.scale = full ? "full scale" : "base scale";
  if (reader.has("margin")) common.margin = reader.number("margin");
  read_model(reader, common);
  // Both scales are read, so that a mistake in the other one shows today.
  CompareConfig base = common, whole = common;
  read_scale(reader.object("base"), path, base);
  read_scale(reader.object("full"), path, whole);
  for (const json& element : reader.array("parts")) {
    ExperimentPart part =
        read_part(ObjectReader(element, path, "parts."), path, full ? whole : base);
    for (const ExperimentPart& other : experiment.parts)
      check(other.name != part.name, ErrorKind::io, path, "has two parts named '", part.name, "'");
    experiment.parts.push_back(std::move(part));
  }
  reader.finish();
  check(!experiment.parts.empty(), ErrorKind::io, path, "has no parts");
  return experiment;
}

}  // namespace ffn::inline v0
