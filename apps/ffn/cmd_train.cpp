#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/train/interrupt.h"
#include "ffn/train/trainer.h"
#include "model_choice.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct TrainOptions {
  ModelOptions model;
  DeviceOptions device;
  OutputOption output;
  TrainConfig config;
  double warmup_epochs = 1;
  std::int64_t step_limit = 0, checkpoint_steps = 0;
  std::string out, resume;
  bool augment = false;
};

std::string formatted(const char* format, double a, double b) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), format, a, b);
  return text.data();
}

void say(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

// The steps of the run and of its warm-up, from what is known before the data is read.
void set_schedule(const TrainOptions& options, const ImageData& data, RunDescription& run) {
  check(run.batch >= 1 && run.batch <= data.train.count, ErrorKind::config, "--batch", "is ",
        run.batch, "; expected 1 to the ", data.train.count, " training pictures");
  const std::int64_t epoch_steps = data.train.count / run.batch;
  run.schedule.total_steps = run.epochs * epoch_steps;
  if (options.step_limit > 0)
    run.schedule.total_steps = std::min(run.schedule.total_steps, options.step_limit);
  run.schedule.warmup_steps = std::min(
      run.schedule.total_steps, static_cast<std::int64_t>(std::llround(
                                    options.warmup_epochs * static_cast<double>(epoch_steps))));
  run.schedule.warmup_lr = std::min(run.schedule.warmup_lr, run.schedule.lr);
}

// The configuration of a new run, from the options.
TrainConfig new_config(const TrainOptions& options, const Device& device, const ImageData& data) {
  const std::vector<ModelChoice> choices =
      choose_models(options.model, {data.train.channels, data.train.width, data.train.classes});
  TrainConfig config = options.config;
  config.model = choices[0].config;
  config.model.drop_path = options.config.model.drop_path;
  config.start_folder = choices[0].folder;
  if (options.augment) config.run.augment = standard_augmentation();
  config.dtype = options.device.dtype();
  config.memory = options.device.memory();
  config.run.environment = {{"version", FFN_VERSION},
                            {"device", std::string(device.name)},
                            {"compiler", compiler_name()}};
  set_schedule(options, data, config.run);
  check_train_config(config);
  config.run = description_of(config);
  return config;
}

void warn_of_other_device(const TrainConfig& config, const Device& device) {
  const auto found = config.run.environment.find("device");
  if (found == config.run.environment.end() || found->second == device.name) return;
  say("ffn: warning: the run began on " + found->second + "; on " + std::string(device.name) +
      " its numbers will differ in the last bits");
}

TrainOutcome train(Executor& ex, const TrainConfig& config, const ImageData& data,
                   const std::string& folder, std::int64_t checkpoint_steps) {
  const InterruptScope scope;
  Trainer trainer(ex, config, data, folder);
  Progress progress("train");
  const auto show = [&](const TrainProgress& now) {
    progress.update(now.step, now.total_steps,
                    "epoch " + std::to_string(now.epoch) + "/" + std::to_string(now.epochs) +
                        formatted("  loss %.4f  lr %.2e", now.loss, now.learning_rate));
  };
  return trainer.run(checkpoint_steps, show, [] { return interrupted() != 0; });
}

void print_outcome(const TrainConfig& config, const std::string& folder,
                   const TrainOutcome& outcome, const OutputOption& output) {
  Table table{{{"run"},
               {"design"},
               {"steps", NumberStyle::count},
               {"train_loss"},
               {"validation_accuracy", NumberStyle::percent},
               {"test_accuracy", NumberStyle::percent},
               {"test_loss"},
               {"training_s"},
               {"images_per_s"},
               {"peak_bytes", NumberStyle::bytes},
               {"skipped_steps"}},
              {}};
  const double seconds = std::max(outcome.training_s, 1e-9);
  table.add_row({folder, to_string(config.model.feed_forward), outcome.steps, outcome.train_loss,
                 outcome.validation.accuracy(), outcome.test.accuracy(), outcome.test.loss,
                 outcome.training_s, static_cast<double>(outcome.trained_images) / seconds,
                 outcome.memory.peak_bytes, outcome.skipped_steps});
  print_result(to_text(table, output.format(), true));
}

void run(TrainOptions& options) {
  check(options.out.empty() != options.resume.empty(), ErrorKind::config, "train",
        "needs either --out FOLDER for a new run or --resume FOLDER");
  const bool resume = !options.resume.empty();
  const std::string& folder = resume ? options.resume : options.out;
  TrainConfig config = resume ? read_train_config(folder) : options.config;
  const Device device = options.device.open();
  const ImageData data = load_image_data(config.run.data);
  if (resume) {
    warn_of_other_device(config, device);
  } else {
    config = new_config(options, device, data);
    create_run_folder(folder, config.run);
  }
  const PlanReport plan = plan_training(device, config);
  say("ffn: " + to_string(config.model.feed_forward) + " on " + config.run.data + ", " +
      std::string(device.name) + "; the plan allocates " +
      to_text(Cell(plan.peak_bytes), NumberStyle::bytes) + ", peak in " + plan.peak_where);
  Executor ex(device, config.memory);
  const TrainOutcome outcome = train(ex, config, data, folder, options.checkpoint_steps);
  if (!outcome.finished) {
    say("ffn: stopped after step " + std::to_string(outcome.steps) +
        ", saved; go on with: ffn train --resume " + folder);
    return;
  }
  print_outcome(config, folder, outcome, options.output);
}

void add_recipe(CLI::App& verb, TrainOptions& options) {
  RunDescription& run = options.config.run;
  verb.add_option("--data", run.data, "data set by name, or a folder with its files")
      ->capture_default_str();
  verb.add_option("--epochs", run.epochs, "passes over the training pictures")
      ->capture_default_str();
  verb.add_option("--steps", options.step_limit, "ends after so many steps; 0: after the epochs")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  verb.add_option("--batch", run.batch, "pictures per step")->capture_default_str();
  verb.add_option("--lr", run.schedule.lr, "learning rate after the warm-up")
      ->capture_default_str();
  verb.add_option("--min-lr", run.schedule.min_lr, "learning rate of the last step")
      ->capture_default_str();
  verb.add_option("--warmup-epochs", options.warmup_epochs, "epochs of linear warm-up")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
  verb.add_option("--weight-decay", run.optimizer.weight_decay, "AdamW's, on matrices only")
      ->capture_default_str();
  verb.add_option("--clip", run.max_norm, "largest gradient norm; 0: none")->capture_default_str();
  verb.add_option("--drop-path", options.config.model.drop_path,
                  "stochastic depth of the last block")
      ->capture_default_str();
  verb.add_flag("--augment", options.augment,
                "DeiT's recipe: crop, flip, erasing, mixup, cutmix, label smoothing");
  verb.add_option("--label-smoothing", run.augment.label_smoothing, "without --augment")
      ->capture_default_str();
  verb.add_option("--seed", run.seed, "of weights, order and augmentation")->capture_default_str();
  verb.add_option("--checkpoint-steps", options.checkpoint_steps,
                  "also save every so many steps; 0: at the end of epochs only")
      ->check(CLI::NonNegativeNumber.description(""))
      ->capture_default_str();
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  options->model.model = "vit-nano";
  options->config.run.data = "fashion-mnist";
  options->config.run.epochs = 8;
  options->config.run.max_norm = 1;
  options->config.run.optimizer.weight_decay = 0.05;
  CLI::App* verb = app.add_subcommand("train", "train a Vision Transformer, resumable at any time");
  options->model.add_to(*verb, false);
  add_recipe(*verb, *options);
  verb->add_option("--out", options->out, "folder of a new run")->type_name("FOLDER");
  verb->add_option("--resume", options->resume, "go on with the run in this folder")
      ->type_name("FOLDER");
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb,
              "ffn train --model vit-nano --ffn 'glu(silu)' --data fashion-mnist --epochs 8 --out "
              "runs/swiglu");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
