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

std::int64_t parameter_count(const VitConfig& config) {
  ParameterSet parameters;
  const VisionTransformer model(config, parameters, 0, standard_designs());
  std::int64_t count = 0;
  for (const Parameter& parameter : parameters.all()) count += parameter.shape.count();
  return count;
}

FeedForwardCosts layer_costs(const VitConfig& config) {
  ParameterSet parameters;
  const VisionTransformer model(config, parameters, 0, standard_designs());
  return model.feed_forward(0).costs();
}

std::vector<Cell> row(const PlanOptions& options, const ModelChoice& choice, const Device& device) {
  TrainConfig config;
  config.model = choice.config;
  config.run.batch = options.recipe.batch;
  config.dtype = options.device.dtype();
  config.memory = options.device.memory();
  const PlanReport plan = plan_training(device, config);
  const FeedForwardCosts costs = layer_costs(choice.config);
  std::vector<Cell> cells{options.model.request.model,
                          to_string(choice.config.feed_forward),
                          options.recipe.data,
                          options.recipe.batch,
                          options.device.dtype_name,
                          options.device.memory_name,
                          std::string(device.name),
                          choice.config.tokens(),
                          parameter_count(choice.config),
                          costs.parameters * choice.config.layers,
                          costs.flops_per_token * choice.config.layers,
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
  for (const ModelChoice& choice : choose_models(
           options.model.request, image_geometry(options.recipe.data, options.recipe.pad_to)))
    table.add_row(row(options, choice, device));
  print_result(to_text(table, options.output.format(), true));
}

}  // namespace

void add_plan(CLI::App& app) {
  auto options = std::make_shared<PlanOptions>();
  options->model.request.model = "deit-tiny";
  options->recipe.data = "cifar100";
  CLI::App* verb = app.add_subcommand(
      "plan", "parameters, flops and memory of a training step, without running it");
  options->model.add_to(*verb, true);
  verb->add_option("--data", options->recipe.data,
                   "data set (its picture size and classes), or its folder")
      ->capture_default_str();
  verb->add_option("--pad", options->recipe.pad_to,
                   "border of zeros up to so many pixels a side; 0: pictures as they are")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
  verb->add_option("--batch", options->recipe.batch, "pictures per step")
      ->check(CLI::Range(1, 1 << 20).description(""))
      ->capture_default_str();
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb,
              "ffn plan --model deit-tiny --data cifar100 --batch 512 --ffn 'glu(silu)' --ffn "
              "'mlp(gelu)'");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
