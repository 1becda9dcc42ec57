#include "console.h"
#include "ffn/base/error.h"
#include "ffn/models/vit_folder.h"
#include "ffn/train/evaluate.h"
#include "ffn/train/recipe.h"
#include "ffn/train/run_results.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct EvalOptions {
  std::string model, split = "test", logits, record;
  TrainRecipe recipe;
  DeviceOptions device;
  OutputOption output;
};

const ImageSet& chosen_split(const ImageData& data, const std::string& split) {
  if (split == "train") return data.train;
  return split == "validation" ? data.validation : data.test;
}

void run(EvalOptions& options) {
  const VitConfig config = read_vit_config(options.model);
  const TrainRecipe& recipe = options.recipe;
  const ImageData data = load_image_data(recipe.data, image_data_options(recipe));
  const ImageSet& set = chosen_split(data, options.split);
  check(set.channels == config.channels && set.width == config.image_size &&
            set.height == config.image_size && set.classes == config.classes,
        ErrorKind::config, options.model, "is a model of ", config.channels, "×", config.image_size,
        "×", config.image_size, " pictures and ", config.classes, " classes; ", recipe.data,
        " has ", set.channels, "×", set.height, "×", set.width, " and ", set.classes);
  const Device device = options.device.open();
  Executor ex(device);
  Classifier classifier(ex, config, {.dtype = options.device.dtype()}, standard_designs());
  read_vit_weights(ex, options.model, classifier.model(), classifier.parameters());
  if (!options.logits.empty()) write_logits(classifier, set, data.statistics, options.logits);
  ScoreDetail detail;
  const Score score = evaluate(classifier, set, data.statistics, &detail);
  const MeasuredCosts costs = measured_costs(detail.block_ms, kEvalBlock, ex.report().peak_bytes);
  if (!options.record.empty())
    write_test_record(options.record, {Measure::accuracy, score, costs, detail.right, detail.counts,
                                       detail.losses});
  Table table{{{"model"},
               {"data"},
               {"split"},
               {"accuracy", NumberStyle::percent},
               {"loss"},
               {"right", NumberStyle::count},
               {"count", NumberStyle::count},
               {"images_per_s"},
               {"peak_bytes", NumberStyle::bytes},
               {"process_peak_bytes", NumberStyle::bytes}},
              {}};
  table.add_row({options.model, recipe.data, options.split, score.accuracy(), score.loss,
                 score.right, score.count, costs.items_per_s, costs.ledger_peak_bytes,
                 costs.process_peak_bytes});
  print_result(to_text(table, options.output.format()));
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand("eval", "accuracy and loss of a trained model");
  verb->add_option("model", options->model, "its Hugging Face folder (a run's is RUN/model)")
      ->required();
  add_data_options(*verb, options->recipe);
  verb->add_option("--split", options->split, "test, validation or train")
      ->check(CLI::IsMember({"test", "validation", "train"}).description(""))
      ->capture_default_str();
  verb->add_option("--logits", options->logits,
                   "also write the first 256 pictures and their logits to this safetensors file")
      ->type_name("FILE");
  // For ffn compare: test.json and test.safetensors of a run.
  verb->add_option("--record", options->record)->group("");
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb, "ffn eval runs/first/model --data fashion-mnist");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
