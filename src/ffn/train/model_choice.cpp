#include "ffn/train/model_choice.h"

#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/models/vit_folder.h"

namespace ffn::inline v0 {
namespace {

// Small pictures are cut into patches of 4 pixels, as published for CIFAR; larger ones of 16.
std::int64_t patch_for(std::int64_t size) { return size <= 64 ? 4 : 16; }

ModelChoice from_preset(const ModelRequest& request, const ImageGeometry& geometry) {
  ModelChoice choice{vit_preset(request.model), "", "", 0};
  choice.config.image_size = geometry.size;
  choice.config.channels = geometry.channels;
  choice.config.classes = geometry.classes;
  choice.config.patch = request.patch > 0 ? request.patch : patch_for(geometry.size);
  check(geometry.size % choice.config.patch == 0, ErrorKind::config, "--patch", "patches of ",
        choice.config.patch, " pixels do not divide pictures of ", geometry.size);
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

void set_design(ModelChoice& choice, const std::string& text, const ModelRequest& request) {
  const DesignRegistry& designs = standard_designs();
  const FeedForwardSpec spec = designs.parse(text);
  choice.design_text = text;
  choice.config.feed_forward = spec;
  if (request.match.empty()) return;
  const std::int64_t width = choice.config.width;
  const FeedForwardSpec target = designs.with_hidden(designs.parse(request.match_to), width);
  if (designs.with_hidden(spec, width) == target) {
    choice.match_ratio = 1;
    return;
  }
  const MatchResult match = match_hidden(spec, target, parse_budget(request.match),
                                         feed_forward_site(choice.config), designs);
  choice.config.feed_forward = match.spec;
  choice.match_ratio = match.ratio;
}

}  // namespace

FeedForwardSite feed_forward_site(const VitConfig& config) {
  return {
      .width = config.width, .grid = {config.grid(), config.grid(), config.prefix()}, .bias = true};
}

std::vector<ModelChoice> choose_models(const ModelRequest& request, const ImageGeometry& geometry) {
  const bool folder = std::filesystem::is_directory(request.model);
  const ModelChoice base =
      folder ? from_folder(request.model, geometry) : from_preset(request, geometry);
  check(request.match.empty() || !request.feed_forward.empty(), ErrorKind::config, "--match",
        "needs --ffn: the design whose hidden width is to be chosen");
  check(!folder || request.feed_forward.empty(), ErrorKind::config, "--ffn",
        "cannot replace the design of a trained model");
  check(!folder || request.patch == 0, ErrorKind::config, "--patch",
        "cannot replace the patches of a trained model");
  std::vector<ModelChoice> choices;
  for (const std::string& text : request.feed_forward) {
    choices.push_back(base);
    set_design(choices.back(), text, request);
  }
  if (choices.empty()) choices.push_back(base);
  for (ModelChoice& choice : choices)
    choice.config.feed_forward =
        standard_designs().with_hidden(choice.config.feed_forward, choice.config.width);
  return choices;
}

}  // namespace ffn::inline v0
