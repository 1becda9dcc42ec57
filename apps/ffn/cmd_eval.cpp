#include "console.h"
#include "ffn/base/error.h"
#include "ffn/models/vit_folder.h"
#include "ffn/train/evaluate.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct EvalOptions {
  std::string model, data = "fashion-mnist", split = "test", logits;
  DeviceOptions device;
  OutputOption output;
};

const ImageSet& chosen_split(const ImageData& data, const std::string& split) {
  if (split == "train") return data.train;
  return split == "validation" ? data.validation : data.test;
}

void run(EvalOptions& options) {
  const VitConfig config = read_vit_config(options.model);
  const ImageData data = load_image_data(options.data);
  const ImageSet& set = chosen_split(data, options.split);
  check(set.channels == config.channels && set.width == config.image_size &&
            set.height == config.image_size && set.classes == config.classes,
        ErrorKind::config, options.model, "is a model of ", config.channels, "×", config.image_size,
        "×", config.image_size, " pictures and ", config.classes, " classes; ", options.data,
        " has ", set.channels, "×", set.height, "×", set.width, " and ", set.classes);
  const Device device = options.device.open();
  Executor ex(device);
  ClassifierSession session(ex, config, {.dtype = options.device.dtype()}, standard_designs());
  read_vit_weights(ex, options.model, session.model(), session.parameters());
  if (!options.logits.empty()) write_logits(session, set, data.statistics, options.logits);
  const Score score = evaluate(session, set, data.statistics);
  Table table{{{"model"},
               {"data"},
               {"split"},
               {"accuracy", NumberStyle::percent},
               {"loss"},
               {"right", NumberStyle::count},
               {"count", NumberStyle::count}},
              {}};
  table.add_row({options.model, options.data, options.split, score.accuracy(), score.loss,
                 score.right, score.count});
  print_result(to_text(table, options.output.format()));
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = app.add_subcommand("eval", "accuracy and loss of a trained model");
  verb->add_option("model", options->model, "its Hugging Face folder (a run's is RUN/model)")
      ->required();
  verb->add_option("--data", options->data, "data set by name, or a folder with its files")
      ->capture_default_str();
  verb->add_option("--split", options->split, "test, validation or train")
      ->check(CLI::IsMember({"test", "validation", "train"}).description(""))
      ->capture_default_str();
  verb->add_option("--logits", options->logits,
                   "also write the first 256 pictures and their logits to this safetensors file")
      ->type_name("FILE");
  options->device.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb, "ffn eval runs/first/model --data fashion-mnist");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
