#include "console.h"
#include "ffn/train/trainer.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct PlanOptions {
  ModelOptions model;
  DeviceOptions device;
  OutputOption output;
  TrainRecipe recipe;
};

std::vector<Column> columns() {
  std::vector<Column> all{{"model"},
                          {"design"},
                          {"data"},
                          {"batch", NumberStyle::count},
                          {"dtype"},
                          {"memory"},
                          {"device"},
                          {"tokens", NumberStyle::count},
                          {"parameters", NumberStyle::count},
                          {"active_parameters", NumberStyle::count},
                          {"frozen_parameters", NumberStyle::count},
                          {"ffn_parameters", NumberStyle::count},
                          {"ffn_flops_per_token", NumberStyle::flops},
                          {"match_ratio"},
                          {"forward_flops", NumberStyle::flops},
                          {"backward_flops", NumberStyle::flops},
                          {"peak_bytes", NumberStyle::bytes},
                          {"peak_where"},
                          {"slab_bytes", NumberStyle::bytes},
                          {"inference_peak_bytes", NumberStyle::bytes}};
  for (int tag = 0; tag < kTags; ++tag) {
    std::string name(to_string(static_cast<Tag>(tag)));
    name.append("_bytes_at_peak");
    all.push_back({std::move(name), NumberStyle::bytes});
  }
  return all;
}

std::vector<Cell> row(const PlanOptions& options, const ModelChoice& choice, const Device& device) {
  TrainConfig config;
  config.model = choice.config;
  config.run.batch = batch_of(options.recipe);
  config.dtype = options.device.dtype();
  config.memory = options.device.memory();
  const PlanReport plan = plan_training(device, config);
  const ModelCosts costs = model_costs(choice.config, standard_designs());
  std::vector<Cell> cells{options.model.request.model,
                          to_string(feed_forward_of(choice.config)),
                          options.recipe.data,
                          config.run.batch,
                          options.device.dtype_name,
                          options.device.memory_name,
                          std::string(device.name),
                          tokens_of(choice.config),
                          costs.parameters,
                          costs.active_parameters,
                          costs.frozen_parameters,
                          costs.feed_forward_parameters,
                          costs.feed_forward_flops_per_token,
                          choice.match_ratio > 0 ? Cell(choice.match_ratio) : Cell(),
                          plan.forward_flops,
                          plan.backward_flops,
                          plan.peak_bytes,
                          plan.peak_where,
                          plan.slab_bytes,
                          plan_inference(device, config).peak_bytes};
  for (const std::int64_t bytes : plan.bytes_at_peak) cells.push_back(bytes);
  return cells;
}

void run(PlanOptions& options) {
  const Device device = options.device.open();
  Table table{columns(), {}};
  ModelRequest& request = options.model.request;
  if (request.model.empty())
    request.model = names_text(options.recipe.data) ? default_model(true) : "deit-tiny";
  for (const ModelChoice& choice :
       choose_models(request, task_geometry(options.recipe.data, options.recipe.pad_to)))
    table.add_row(row(options, choice, device));
  print_result(to_text(table, options.output.format(), true));
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<PlanOptions>();
  options->recipe.data = "cifar100";
  CLI::App* verb = app.add_subcommand(
      "plan", "parameters, flops and memory of a training step, without running it");
  options->model.add_to(*verb, true);
  verb->add_option("--data", options->recipe.data,
                   "data set (its picture size and classes), its folder, or text:PATH")
      ->capture_default_str();
  verb->add_option("--pad", options->recipe.pad_to,
                   "border of zeros up to so many pixels a side; 0: pictures as they are")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
  verb->add_option("--batch", options->recipe.batch,
                   "pictures or sequences per step; 0: 128 pictures, 32 sequences")
      ->check(CLI::Range(0, 1 << 20).description(""))
      ->capture_default_str();
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb,
              "ffn plan --model deit-tiny --data cifar100 --batch 512 --ffn 'glu(silu)' --ffn "
              "'mlp(gelu)'");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
