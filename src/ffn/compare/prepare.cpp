#include "ffn/compare/prepare.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <span>

#include "ffn/base/error.h"
#include "ffn/compare/match_time.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/checksum.h"

namespace ffn::inline v0 {
namespace {

// A match further off than this is refused: the budgets would not be equal.
constexpr double kMatchTolerance = 0.05;

std::vector<ModelChoice> solve(const CompareConfig& config, const TaskGeometry& geometry,
                               const Device& device) {
  if (config.model.match != "time") return choose_models(config.model, geometry);
  return match_step_time(config.model, config.recipe, geometry, device);
}

// "mlp(gelu)" given twice becomes "mlp(gelu)" and "mlp(gelu) (2)".
std::string unique_label(const std::string& text, std::map<std::string, int>& seen) {
  const int count = ++seen[text];
  return count == 1 ? text : text + " (" + std::to_string(count) + ")";
}

void check_budget(const ModelChoice& choice, const ModelRequest& request) {
  const double ratio = choice.match_ratio;
  check(ratio == 0 || (ratio > 1 - kMatchTolerance && ratio < 1 + kMatchTolerance),
        ErrorKind::config, "--match", to_string(feed_forward_of(choice.config)), " reaches ", ratio,
        " of the ", request.match, " of ", request.match_to,
        " at best, which is no equal budget (within 5 %); compare without --match, which shows the "
        "difference");
}

// Letters, digits, '.' and '_' of a design; everything else becomes one '-'.
std::string slug(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (kept) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '-') {
      name.push_back('-');
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

}  // namespace

Measure measure_of(const TrainRecipe& recipe) {
  return names_text(recipe.data) ? Measure::bits_per_byte : Measure::accuracy;
}

DataFacts read_data_facts(const CompareConfig& config) {
  const TaskData data = load_task_data(config.recipe.data, image_data_options(config.recipe));
  DataFacts facts;
  facts.geometry = geometry_of(data);
  facts.measure = measure_of(config.recipe);
  ModelRequest any = config.model;
  any.feed_forward.clear();
  any.match.clear();
  const ModelConfig model = choose_models(any, facts.geometry)[0].config;
  facts.epoch_rows = training_examples(data, model);
  const auto count = [&](std::int64_t training, std::int64_t validation, std::int64_t test) {
    facts.training_count = facts.training_items = training;
    facts.validation_count = validation;
    facts.test_count = test;
  };
  if (const auto* text = std::get_if<TextData>(&data)) {
    count(text->train.count(), text->validation.count(), text->test.count());
    facts.training_items = text->train.total_bytes();
    facts.items_per_row = tokens_of(model);
  } else {
    const auto& pictures = std::get<ImageData>(data);
    count(pictures.train.count, pictures.validation.count, pictures.test.count);
  }
  return facts;
}

Comparison prepare_comparison(const std::string& folder, const CompareConfig& config,
                              const TaskGeometry& geometry, const Device& device) {
  check_compare_config(config);
  if (has_comparison(folder)) {
    Comparison found = read_comparison(folder);
    check_same(found, config, folder);
    return found;
  }
  Comparison comparison{config, {}};
  std::map<std::string, int> seen;
  for (const ModelChoice& choice : solve(config, geometry, device)) {
    check_budget(choice, config.model);
    comparison.designs.push_back({unique_label(choice.design_text, seen),
                                  to_string(feed_forward_of(choice.config)), choice.match_ratio});
  }
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  check(!code, ErrorKind::io, folder, "cannot be made: ", code.message());
  AtomicFile file(folder + "/comparison.json");
  file.write(comparison_json(comparison));
  file.commit();
  return comparison;
}

std::size_t representative(const Comparison& comparison, std::size_t design) {
  std::size_t first = 0;
  while (comparison.designs[first].design != comparison.designs[design].design) ++first;
  return first;
}

TrainConfig train_config(const Comparison& comparison, const RunPlan& run, const DataFacts& data,
                         const std::map<std::string, std::string>& environment) {
  const CompareConfig& config = comparison.config;
  ModelRequest request = config.model;
  request.feed_forward = {comparison.designs[run.design].design};
  request.match.clear();
  TrainRecipe recipe = config.recipe;
  recipe.lr = run.learning_rate;
  return make_train_config(recipe,
                           {.model = choose_models(request, data.geometry)[0],
                            .seed = run.seed,
                            .read_test = false,
                            .environment = environment},
                           data.epoch_rows);
}

RunPlan with_folder(RunPlan run, const std::string& runs, const Comparison& comparison,
                    const DataFacts& data) {
  const std::string text = run_json(train_config(comparison, run, data, {}).run);
  std::array<char, 16> checksum{};
  std::snprintf(checksum.data(), checksum.size(), "%08x", crc32_of(std::as_bytes(std::span(text))));
  run.folder = runs + "/" + slug(comparison.designs[run.design].design) + "_seed-" +
               std::to_string(run.seed) + "_" + checksum.data();
  return run;
}

}  // namespace ffn::inline v0
