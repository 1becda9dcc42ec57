#include <numeric>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/base/process.h"
#include "ffn/compare/child_process.h"
#include "ffn/compare/collect.h"
#include "ffn/compare/comparison_table.h"
#include "ffn/compare/experiment.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/run_comparison.h"
#include "ffn/compare/write_results.h"
#include "ffn/train/interrupt.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct CompareOptions {
  ModelOptions model;
  DeviceOptions device;
  OutputOption output;
  TrainRecipe recipe;
  std::int64_t seeds = 3;
  std::vector<double> learning_rates;
  double margin = 0;
  int jobs = 1;
  std::string out, experiment, title, scale;
  bool full = false;
};

CompareConfig config_of(const CompareOptions& options) {
  CompareConfig config;
  config.model = options.model.request;
  config.recipe = options.recipe;
  config.recipe.dtype = options.device.dtype();
  config.recipe.memory = options.device.memory();
  config.seeds.resize(static_cast<std::size_t>(options.seeds));
  std::iota(config.seeds.begin(), config.seeds.end(), 1);
  config.learning_rates = options.learning_rates;
  config.margin = options.margin / words_of(measure_of(options.recipe)).units;
  config.title = options.title;
  config.scale = options.scale;
  check_compare_config(config);
  return config;
}

// The parts to run: those of an experiment, or the one that the options describe.
std::vector<ExperimentPart> parts_of(const CompareOptions& options) {
  if (!options.experiment.empty()) return read_experiment(options.experiment, options.full).parts;
  return {{"", config_of(options)}};
}

int threads_of_a_run(const CompareOptions& options) {
  const int all = options.device.threads == 0 ? available_threads() : options.device.threads;
  return std::max(1, all / options.jobs);
}

CompareHooks hooks_of(const CompareOptions& options, const Device& device, Measure measure) {
  CompareHooks hooks;
  hooks.program = own_program();
  hooks.jobs = options.jobs;
  hooks.children_show_progress = options.jobs == 1 && errors_reach_a_terminal();
  hooks.device_options = {"--threads", std::to_string(options.device.threads), "--device",
                          options.device.device};
  hooks.environment = run_environment(device);
  hooks.stop = [] { return interrupted() != 0; };
  hooks.progress = [measure](const CompareProgress& now) {
    std::string line = "[" + std::to_string(now.done) + "/" + std::to_string(now.total) + "] " +
                       now.finished + ": validation " +
                       quality_text(now.validation_quality, measure);
    if (now.done < now.total) line += "; about " + clock_text(now.left_s) + " left";
    say(line);
  };
  return hooks;
}

std::vector<std::pair<std::string, std::string>> environment_of(const Device& device) {
  return {{"machine", machine_description()},
          {"kernels", std::string(device.name)},
          {"version", "Feedforward " FFN_VERSION},
          {"compiler", compiler_name()}};
}

// One part, to the end or until Ctrl-C; then false.
// `device` has the threads of one run, so that times are matched, and plans made, as they will be.
bool run_part(const CompareOptions& options, const std::string& folder, const CompareConfig& config,
              const Device& device, ComparisonResult& result) {
  const DataFacts data = read_data_facts(config);
  const Comparison comparison = prepare_comparison(folder, config, data.geometry, device);
  const std::string runs = options.out + "/runs";  // the parts of an experiment share them
  if (!run_comparison(runs, comparison, data, hooks_of(options, device, data.measure)))
    return false;
  result = collect(runs, comparison, data, device,
                   {.command = command_line(),
                    .threads = options.device.threads,
                    .environment = environment_of(device)});
  return true;
}

void print_part(const NamedResult& part, TableFormat format) {
  if (format != TableFormat::md) {
    print_result(to_text(comparison_table(part.result), format));
    return;
  }
  print_result(
      "\n" + part.result.title + "\n\n" + to_text(comparison_table(part.result), format, true) +
      "\n" + to_text(pair_table(part.result), format) + "\n" + part.result.verdict.sentence + "\n");
}

void check_options(const CompareOptions& options, const CLI::App& verb) {
  if (options.experiment.empty()) {
    check(!options.full, ErrorKind::config, "--full", "needs --experiment");
    return;
  }
  // The file says what is compared: an option beside it would be ignored.
  refuse_given(verb, {"--ffn",           "--model",           "--patch",
                      "--match",         "--match-to",        "--data",
                      "--pad",           "--shuffle-patches", "--epochs",
                      "--steps",         "--batch",           "--lr",
                      "--lr-grid",       "--seeds",           "--margin",
                      "--title",         "--scale",           "--augment",
                      "--dtype",         "--memory",          "--min-lr",
                      "--warmup-epochs", "--weight-decay",    "--clip",
                      "--drop-path",     "--label-smoothing", "--eval-steps"},
               "cannot go with --experiment, whose file decides it");
}

// The parts in turn; false when the run was interrupted. What is finished is reported also when a
// later part cannot be run, as when no width makes two designs take equal time.
bool run_parts(const CompareOptions& options, const std::vector<ExperimentPart>& parts,
               const Device& device, std::vector<NamedResult>& results) {
  for (const ExperimentPart& part : parts) {
    if (!part.name.empty())
      say("ffn: part '" + part.name + "', " + std::to_string(results.size() + 1) + " of " +
          std::to_string(parts.size()));
    const std::string folder = part.name.empty() ? options.out : options.out + "/" + part.name;
    NamedResult named{part.name, {}};
    try {
      if (!run_part(options, folder, part.config, device, named.result)) return false;
    } catch (const Error&) {
      if (!results.empty())
        say("ffn: the parts before '" + part.name + "' are in " +
            write_results(options.out, results));
      throw;
    }
    results.push_back(std::move(named));
  }
  return true;
}

void run(CompareOptions& options, const CLI::App& verb) {
  check_options(options, verb);
  const std::vector<ExperimentPart> parts = parts_of(options);
  options.device.threads = threads_of_a_run(options);  // from here on
  const Device device = options.device.open();
  const InterruptScope scope;
  std::vector<NamedResult> results;
  if (!run_parts(options, parts, device, results)) {
    say("ffn: stopped, finished runs are kept; go on with the same command");
    return;
  }
  const std::string page = write_results(options.out, results);
  for (const NamedResult& part : results) print_part(part, options.output.format());
  if (options.output.format() == TableFormat::md) {
    print_result("\nThe report, to open in a browser:\n" + page + "\n");
  } else {
    say("ffn: the report is " + page);
  }
}

void add_own_options(CLI::App& verb, CompareOptions& options) {
  verb.add_option("--seeds", options.seeds, "runs of each design, with seeds 1, 2, …")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str();
  verb.add_option("--lr-grid", options.learning_rates,
                  "choose each design's rate from these on validation, e.g. 5e-4,1e-3,2e-3")
      ->delimiter(',')
      ->type_name("RATES");
  verb.add_option("--margin", options.margin,
                  "also test equality: a difference below so many points (of text: bits per "
                  "byte) does not matter; 0: off")
      ->check(CLI::Range(0.0, 99.0).description(""))
      ->capture_default_str();
  verb.add_option("--jobs", options.jobs,
                  "runs at a time, which share the threads; results are the same, times are not")
      ->check(CLI::Range(1, 1024).description(""))
      ->capture_default_str();
  verb.add_option("--experiment", options.experiment,
                  "run this file of experiments/ instead of the options above")
      ->type_name("FILE");
  verb.add_flag("--full", options.full, "the experiment's full scale");
  verb.add_option("--title", options.title, "of the report");
  verb.add_option("--scale", options.scale, "label of the report, e.g. 'demo scale'");
  verb.add_option("--out", options.out, "folder of the runs and the report; the same one goes on")
      ->type_name("FOLDER")
      ->required();
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  options->model.request.model = "vit-pico";
  CLI::App* verb = app.add_subcommand(
      "compare", "train one model per feed-forward design and seed; which design is best?");
  options->model.add_to(*verb, true, {"params", "active", "flops", "bytes", "time"});
  add_data_options(*verb, options->recipe);
  add_recipe_options(*verb, options->recipe);
  add_own_options(*verb, *options);
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(
      *verb,
      "ffn compare --model vit-pico --patch 7 --ffn 'mlp(gelu)' --ffn 'glu(silu)' --ffn "
      "'dwconv(gelu)'\n    --match params --epochs 2 --seeds 3 --out runs/first-comparison");
  verb->callback([options, verb] { run(*options, *verb); });
}

}  // namespace ffn::app
