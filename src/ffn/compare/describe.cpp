#include "ffn/compare/describe.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "ffn/compare/measure_words.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {
namespace {

std::string counted(std::int64_t value) { return to_text(Cell(value), NumberStyle::count); }

std::string shortest(double value) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string model_name(const CompareConfig& config) {
  if (!config.model.model.empty()) return config.model.model;
  return std::string(default_model(measure_of(config.recipe) == Measure::bits_per_byte));
}

std::string title_of(const CompareConfig& config) {
  const std::size_t count = config.model.feed_forward.size();
  return std::to_string(count) + " feed-forward design" + (count == 1 ? "" : "s") + " in " +
         model_name(config) + " on " + config.recipe.data;
}

std::string model_of(const VitConfig& model, const std::string& name) {
  return name + ": a Vision Transformer, width " + std::to_string(model.width) + ", " +
         std::to_string(model.layers) + " layers, " + std::to_string(model.heads) +
         " attention heads, " + std::to_string(model.tokens()) + " tokens a picture (patches of " +
         std::to_string(model.patch) + " × " + std::to_string(model.patch) + " pixels)";
}

std::string model_of(const DecoderConfig& model, const std::string& name) {
  std::string text = name + ": a decoder, width " + std::to_string(model.width) + ", " +
                     std::to_string(model.layers) + " layers, " + std::to_string(model.heads) +
                     " attention heads, " + std::to_string(model.tokens) + " bytes a sequence";
  if (model.key_value_heads() != model.heads)
    text += ", " + std::to_string(model.key_value_heads()) + " heads of keys and values";
  if (model.form == BlockForm::parallel) text += ", parallel blocks";
  return text + (model.tied_head ? ", a tied head" : ", a head of its own");
}

// What a data set of this measure holds beside its number of training examples.
std::string contents_of(const DataFacts& data) {
  if (data.measure == Measure::bits_per_byte)
    return " of " + counted(data.training_items) + " bytes together";
  const auto& geometry = std::get<ImageGeometry>(data.geometry);
  const std::string size = std::to_string(geometry.size);
  return " of " + size + " × " + size + " pixels, " + std::to_string(geometry.classes) + " classes";
}

std::string data_of(const CompareConfig& config, const DataFacts& data) {
  std::string text = data_lines(config.recipe.data, data).data;
  if (config.recipe.shuffle_patches > 0)
    text += "; squares of " + std::to_string(config.recipe.shuffle_patches) +
            " pixels shuffled, the same way in every picture";
  return text;
}

std::string recipe_of(const CompareConfig& config, const TrainConfig& run, const DataFacts& data) {
  const ScheduleOptions& schedule = run.run.schedule;
  std::array<char, 32> epochs{};
  std::snprintf(epochs.data(), epochs.size(), "%.3g",
                static_cast<double>(schedule.total_steps * run.run.batch * data.items_per_row) /
                    static_cast<double>(data.training_items));
  const MeasureWords& words = words_of(data.measure);
  std::string text = counted(schedule.total_steps) + " steps of " + counted(run.run.batch) + " " +
                     plural(words.batch_row);
  if (data.items_per_row > 1)
    text += " of " + counted(data.items_per_row) + " " + plural(words.item);
  text += std::string(" (") + epochs.data() + " passes over the data); AdamW, ";
  if (config.learning_rates.empty()) {
    text += "learning rate " + shortest(schedule.lr) + " for every design";
  } else {
    text += "learning rate chosen for each design on validation from";
    for (const double rate : config.learning_rates) text += " " + shortest(rate);
  }
  text += ", " + counted(schedule.warmup_steps) + " steps of warm-up, then cosine; weight decay " +
          shortest(run.run.optimizer.weight_decay);
  if (run.run.max_norm > 0) text += "; gradients clipped at norm " + shortest(run.run.max_norm);
  if (data.measure == Measure::accuracy)
    text += config.recipe.augment ? "; DeiT's augmentation" : "; no augmentation";
  return text;
}

std::string budget_of(const CompareConfig& config) {
  const std::string& match = config.model.match;
  if (match.empty()) return "not matched: each design has the hidden width it was given";
  const std::string what = match == "params"   ? "parameters"
                           : match == "active" ? "parameters that one token meets"
                           : match == "flops"  ? "arithmetic per token"
                           : match == "bytes"  ? "bytes read for one token"
                                               : "time of a training step";
  return "matched: hidden widths chosen so that every design has the " + what + " of " +
         config.model.match_to;
}

}  // namespace

DataLines data_lines(const std::string& name, const DataFacts& data) {
  const std::string examples = plural(words_of(data.measure).example);
  return {name + ": " + counted(data.training_count) + " training " + examples + contents_of(data),
          counted(data.validation_count) + " training " + examples +
              " are held out for validation, which every choice uses; the " +
              counted(data.test_count) + " test " + examples +
              " were read once, after training had ended"};
}

void describe(const Comparison& comparison, const DataFacts& data, ComparisonResult& result) {
  const CompareConfig& config = comparison.config;
  const TrainConfig run = train_config(
      comparison,
      {.design = 0, .seed = config.seeds[0], .learning_rate = config.recipe.lr, .folder = {}}, data,
      {});
  result.measure = data.measure;
  result.title = config.title.empty() ? title_of(config) : config.title;
  result.scale = config.scale;
  result.question = config.question;
  result.claim = config.claim;
  result.model =
      std::visit([&](const auto& model) { return model_of(model, model_name(config)); }, run.model);
  result.data = data_of(config, data);
  result.recipe = recipe_of(config, run, data);
  result.budget = budget_of(config);
  result.held_out = data_lines(config.recipe.data, data).held_out;
  result.dtype = to_string(config.recipe.dtype);
  result.margin = config.margin;
  result.seeds = config.seeds;
  result.total_steps = run.run.schedule.total_steps;
  result.batch = run.run.batch;
}

}  // namespace ffn::inline v0
