#include <algorithm>
#include <array>
#include <cstdio>

#include "console.h"
#include "expert_columns.h"
#include "ffn/base/error.h"
#include "ffn/train/interrupt.h"
#include "ffn/train/trainer.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct TrainOptions {
  ModelOptions model;
  DeviceOptions device;
  OutputOption output;
  TrainRecipe recipe;
  std::uint64_t seed = 1;
  std::int64_t checkpoint_steps = 0;
  std::string out, resume;
  std::string label;   // of a run of ffn compare
  bool quiet = false;  // likewise: no progress
};

std::string formatted(const char* format, double a, double b) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), format, a, b);
  return text.data();
}

// The configuration of a new run, from the options.
TrainConfig new_config(const TrainOptions& options, const Device& device, const TaskData& data) {
  TrainRecipe recipe = options.recipe;
  recipe.dtype = options.device.dtype();
  recipe.memory = options.device.memory();
  const ModelChoice choice = choose_models(options.model.request, geometry_of(data))[0];
  return make_train_config(recipe,
                           {.model = choice,
                            .seed = options.seed,
                            .read_test = true,
                            .environment = run_environment(device)},
                           training_examples(data, choice.config));
}

void warn_of_other_device(const TrainConfig& config, const Device& device) {
  const auto found = config.run.environment.find("device");
  if (found == config.run.environment.end() || found->second == device.name) return;
  say("ffn: warning: the run began on " + found->second + "; on " + std::string(device.name) +
      " its numbers will differ in the last bits");
}

TrainOutcome train(Executor& ex, const TrainConfig& config, const TaskData& data,
                   const std::string& folder, const TrainOptions& options) {
  const InterruptScope scope;
  Trainer trainer(ex, config, data, folder);
  Progress progress(options.label.empty() ? "train" : options.label);
  const auto show = [&](const TrainProgress& now) {
    if (options.quiet) return;
    progress.update(now.step, now.total_steps,
                    "epoch " + std::to_string(now.epoch) + "/" + std::to_string(now.epochs) +
                        formatted("  loss %.4f  lr %.2e", now.loss, now.learning_rate));
  };
  return trainer.run(options.checkpoint_steps, show, [] { return interrupted() != 0; });
}

Table table_of(const TrainConfig& config, const std::string& folder, const TrainOutcome& outcome) {
  const RunScores& scores = outcome.scores;
  const Measure measure = scores.measure;
  const bool pictures = measure == Measure::accuracy;
  const NumberStyle style = pictures ? NumberStyle::percent : NumberStyle::plain;
  const std::string name(to_string(measure));
  Table table;
  std::vector<Cell> row;
  const auto add = [&](Column column, Cell cell) {
    table.columns.push_back(std::move(column));
    row.push_back(std::move(cell));
  };
  const auto test = [&](double value) { return scores.test ? Cell(value) : Cell(); };
  const Score none, &tested = scores.test ? *scores.test : none;
  add({"run"}, folder);
  add({"design"}, to_string(feed_forward_of(config.model)));
  add({"steps", NumberStyle::count}, outcome.steps);
  add({"train_loss"}, outcome.train_loss);
  add({"validation_" + name, style}, quality(scores.validation, measure));
  add({"test_" + name, style}, test(quality(tested, measure)));
  if (!pictures) add({"test_standard_error"}, test(tested.standard_error));
  add({"test_loss"}, test(tested.loss));
  add_expert_columns(outcome.experts, add);
  add({"step_ms"}, outcome.costs.median_ms);
  add({pictures ? "images_per_s" : "bytes_per_s"}, outcome.costs.items_per_s);
  add({"peak_bytes", NumberStyle::bytes}, outcome.costs.ledger_peak_bytes);
  add({"process_peak_bytes", NumberStyle::bytes}, outcome.costs.process_peak_bytes);
  add({"skipped_steps"}, outcome.skipped_steps);
  table.add_row(std::move(row));
  return table;
}

void say_plan(const Device& device, const TrainConfig& config) {
  const PlanReport plan = plan_training(device, config);
  say("ffn: " + to_string(feed_forward_of(config.model)) + " on " + config.run.data + ", " +
      std::string(device.name) + "; the plan allocates " +
      to_text(Cell(plan.peak_bytes), NumberStyle::bytes) + ", peak in " + plan.peak_where);
}

void run(TrainOptions& options) {
  check(options.out.empty() != options.resume.empty(), ErrorKind::config, "train",
        "needs either --out FOLDER for a new run or --resume FOLDER");
  const bool resume = !options.resume.empty();
  const std::string& folder = resume ? options.resume : options.out;
  TrainConfig config = resume ? read_train_config(folder) : TrainConfig{};
  const Device device = options.device.open();
  const TaskData data =
      resume ? load_task_data(config.run.data, image_data_options(config))
             : load_task_data(options.recipe.data, image_data_options(options.recipe));
  if (resume) {
    warn_of_other_device(config, device);
  } else {
    config = new_config(options, device, data);
    create_run_folder(folder, config.run);
  }
  const bool alone = options.label.empty() && !options.quiet;
  if (alone) say_plan(device, config);
  Executor ex(device, config.memory);
  const TrainOutcome outcome = train(ex, config, data, folder, options);
  if (!outcome.finished) {
    if (alone)
      say("ffn: stopped after step " + std::to_string(outcome.steps) +
          ", saved; go on with: ffn train --resume " + folder);
    return;
  }
  print_result(to_text(table_of(config, folder, outcome), options.output.format(), true));
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* verb = app.add_subcommand(
      "train", "train a Vision Transformer or a language model, resumable at any time");
  options->model.add_to(*verb, false);
  add_data_options(*verb, options->recipe);
  add_recipe_options(*verb, options->recipe);
  verb->add_option("--seed", options->seed, "of weights, order and augmentation")
      ->capture_default_str();
  verb->add_option("--checkpoint-steps", options->checkpoint_steps,
                   "also save every so many steps; 0: at the end of epochs only")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  verb->add_option("--out", options->out, "folder of a new run")->type_name("FOLDER");
  verb->add_option("--resume", options->resume, "go on with the run in this folder")
      ->type_name("FOLDER");
  verb->add_option("--label", options->label)->group("");  // for ffn compare: whose progress it is
  verb->add_flag("--quiet", options->quiet)->group("");
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb,
              "ffn train --model vit-nano --ffn 'glu(silu)' --data fashion-mnist --epochs 8 --out "
              "runs/swiglu");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
