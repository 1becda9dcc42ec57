#include "model_choice.h"

#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/feedforward/match.h"
#include "ffn/models/vit_folder.h"

namespace ffn::app {
namespace {

// Small pictures are cut into patches of 4 pixels, as published for CIFAR; larger ones of 16.
std::int64_t patch_for(std::int64_t size) { return size <= 64 ? 4 : 16; }

ModelChoice from_preset(const std::string& name, const ImageGeometry& geometry) {
  ModelChoice choice{vit_preset(name), "", "", 0};
  choice.config.image_size = geometry.size;
  choice.config.channels = geometry.channels;
  choice.config.classes = geometry.classes;
  choice.config.patch = patch_for(geometry.size);
  choice.config.feed_forward = standard_designs().parse("mlp(gelu)");
  return choice;
}

ModelChoice from_folder(const std::string& folder, const ImageGeometry& geometry) {
  ModelChoice choice{read_vit_config(folder), folder, "", 0};
  const VitConfig& c = choice.config;
  check(c.image_size == geometry.size && c.channels == geometry.channels &&
            c.classes == geometry.classes,
        ErrorKind::config, folder, "is a model of ", c.channels, "×", c.image_size, "×",
        c.image_size, " pictures and ", c.classes, " classes; the data has ", geometry.channels,
        "×", geometry.size, "×", geometry.size, " and ", geometry.classes);
  return choice;
}

FeedForwardSite site_of(const VitConfig& config) {
  return {
      .width = config.width, .grid = {config.grid(), config.grid(), config.prefix()}, .bias = true};
}

void set_design(ModelChoice& choice, const std::string& text, const ModelOptions& options) {
  const FeedForwardSpec spec = standard_designs().parse(text);
  choice.design_text = text;
  if (options.match.empty()) {
    choice.config.feed_forward = spec;
    return;
  }
  const MatchResult match =
      match_hidden(spec, standard_designs().parse(options.match_to),
                   options.match == "params" ? Budget::parameters : Budget::flops,
                   site_of(choice.config), standard_designs());
  choice.config.feed_forward = match.spec;
  choice.match_ratio = match.ratio;
}

}  // namespace

std::vector<ModelChoice> choose_models(const ModelOptions& options, const ImageGeometry& geometry) {
  const bool folder = std::filesystem::is_directory(options.model);
  const ModelChoice base =
      folder ? from_folder(options.model, geometry) : from_preset(options.model, geometry);
  check(options.match.empty() || !options.feed_forward.empty(), ErrorKind::config, "--match",
        "needs --ffn: the design whose hidden width is to be chosen");
  check(!folder || options.feed_forward.empty(), ErrorKind::config, "--ffn",
        "cannot replace the design of a trained model");
  std::vector<ModelChoice> choices;
  for (const std::string& text : options.feed_forward) {
    choices.push_back(base);
    set_design(choices.back(), text, options);
  }
  if (choices.empty()) choices.push_back(base);
  for (ModelChoice& choice : choices)
    choice.config.feed_forward =
        standard_designs().with_hidden(choice.config.feed_forward, choice.config.width);
  return choices;
}

}  // namespace ffn::app
