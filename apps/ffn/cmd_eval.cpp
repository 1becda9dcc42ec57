#include "console.h"
#include "eval_text.h"
#include "expert_columns.h"
#include "ffn/base/error.h"
#include "ffn/inference/known_models.h"
#include "ffn/train/expert_watch.h"
#include "ffn/train/recipe.h"
#include "ffn/train/run_results.h"
#include "ffn/train/task.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct EvalOptions {
  std::string model, split = "test", logits, record;
  TrainRecipe recipe;
  DeviceOptions device;
  TextEvalOptions text;
  OutputOption output;
};

Split split_of(const std::string& name) {
  if (name == "train") return Split::train;
  return name == "validation" ? Split::validation : Split::test;
}

Table table_of(const EvalOptions& options, const Score& score, const MeasuredCosts& costs,
               Measure measure, std::span<const RouterHealth> experts) {
  Table table{{{"model"}, {"data"}, {"split"}}, {}};
  std::vector<Cell> row{options.model, options.recipe.data, options.split};
  const auto add = [&](Column column, Cell cell) {
    table.columns.push_back(std::move(column));
    row.push_back(std::move(cell));
  };
  if (measure == Measure::bits_per_byte) {
    add({"bits_per_byte"}, quality(score, measure));
    add({"standard_error"}, score.standard_error);
  }
  add({"accuracy", NumberStyle::percent}, score.accuracy());
  add({"loss"}, score.loss);
  add({"right", NumberStyle::count}, score.right);
  add({"count", NumberStyle::count}, score.count);
  add_expert_columns(experts, add);
  add({measure == Measure::accuracy ? "images_per_s" : "bytes_per_s"}, costs.items_per_s);
  add({"peak_bytes", NumberStyle::bytes}, costs.ledger_peak_bytes);
  add({"process_peak_bytes", NumberStyle::bytes}, costs.process_peak_bytes);
  table.add_row(std::move(row));
  return table;
}

void run(EvalOptions& options, const CLI::App& verb) {
  options.model = find_model(options.model);
  const TrainRecipe& recipe = options.recipe;
  if (has_own_tokenizer(options.model)) {
    refuse_given(verb, {"--split", "--logits", "--record", "--pad", "--shuffle-patches"},
                 "cannot go with a model that has a tokenizer, which scores the whole text");
    const Device device = options.device.open();
    print_result(to_text(
        score_text_model(options.model, recipe.data, options.text, device, options.device.dtype()),
        options.output.format()));
    return;
  }
  refuse_given(verb, {"--window", "--stride", "--bytes"},
               "goes with a model that has a tokenizer; this one has none");
  const ModelConfig config = read_model_config(options.model);
  // A text's geometry is known before it is read.
  if (names_text(recipe.data)) check_model_fits(config, text_geometry(recipe.data), options.model);
  const TaskData data = load_task_data(recipe.data, image_data_options(recipe));
  check_model_fits(config, geometry_of(data), options.model);
  const Device device = options.device.open();
  Executor ex(device);
  const auto task =
      make_task(ex, config, data, {.model = {.dtype = options.device.dtype()}}, standard_designs());
  task->read_model(options.model);
  const Split split = split_of(options.split);
  if (!options.logits.empty()) task->write_logits(split, options.logits);
  // A record is of how fast the model is: nobody looks on.
  const auto watched = options.record.empty() ? feed_forward_taps(config, standard_designs())
                                              : std::vector<std::string>();
  ExpertWatch watch(ex, watched);
  task->set_watch(&watch);
  ScoreDetail detail;
  const Score score = task->score(split, &detail);
  const MeasuredCosts costs =
      measured_costs(detail.block_ms, task->items_per_block(), ex.report().peak_bytes);
  if (!options.record.empty())
    write_test_record(options.record,
                      {task->measure(), score, costs, detail.right, detail.counts, detail.losses});
  print_result(to_text(table_of(options, score, costs, task->measure(), watch.take()),
                       options.output.format()));
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand(
      "eval", "accuracy of a classifier, bits per byte and perplexity of a language model");
  verb->add_option(
          "model", options->model,
          "its Hugging Face folder (a run's is RUN/model), GGUF file, or name (ffn data get)")
      ->required();
  add_data_options(*verb, options->recipe);
  verb->add_option("--split", options->split, "test, validation or train")
      ->check(CLI::IsMember({"test", "validation", "train"}).description(""))
      ->capture_default_str();
  verb->add_option("--logits", options->logits,
                   "also write the first block of examples and their logits to this safetensors "
                   "file")
      ->type_name("FILE");
  // For ffn compare: test.json and test.safetensors of a run.
  verb->add_option("--record", options->record)->group("");
  options->text.add_to(*verb);
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb, "ffn eval runs/first/model --data fashion-mnist");
  verb->callback([options, verb] { run(*options, *verb); });
}

}  // namespace ffn::app
