#include "ffn/train/model_choice.h"

#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/models/transform/upcycle.h"

namespace ffn::inline v0 {
namespace {

// Small pictures are cut into patches of 4 pixels, as published for CIFAR; larger ones of 16.
std::int64_t patch_for(std::int64_t size) { return size <= 64 ? 4 : 16; }

ModelConfig from_preset(const ModelRequest& request, const ImageGeometry& geometry) {
  check(request.decoder == DecoderOptions{}, ErrorKind::config, "model",
        "--context, --kv-heads, --parallel and --free-head are of language models; the data is "
        "pictures");
  VitConfig config = vit_preset(request.model.empty() ? default_model(false) : request.model);
  config.image_size = geometry.size;
  config.channels = geometry.channels;
  config.classes = geometry.classes;
  config.patch = request.patch > 0 ? request.patch : patch_for(geometry.size);
  check(geometry.size % config.patch == 0, ErrorKind::config, "--patch", "patches of ",
        config.patch, " pixels do not divide pictures of ", geometry.size);
  return config;
}

ModelConfig from_preset(const ModelRequest& request, const TextGeometry& geometry) {
  check(request.patch == 0, ErrorKind::config, "--patch", "is of pictures; the data is text");
  DecoderConfig config =
      decoder_preset(request.model.empty() ? default_model(true) : request.model);
  const DecoderOptions& options = request.decoder;
  config.vocabulary = geometry.vocabulary;
  if (options.context > 0) config.tokens = options.context;
  config.kv_heads = options.kv_heads;
  check(config.heads % config.key_value_heads() == 0, ErrorKind::config, "--kv-heads", "is ",
        options.kv_heads, ", which does not divide the ", config.heads, " heads of the model");
  config.form = options.parallel ? BlockForm::parallel : BlockForm::sequential;
  config.tied_head = !options.free_head;
  return config;
}

ModelChoice base_choice(const ModelRequest& request, const TaskGeometry& geometry) {
  if (!std::filesystem::is_directory(request.model)) {
    ModelChoice choice{std::visit([&](const auto& g) { return from_preset(request, g); }, geometry),
                       "", "", 0};
    feed_forward_of(choice.config) = standard_designs().parse("mlp(gelu)");
    return choice;
  }
  check(request.match.empty(), ErrorKind::config, "--match",
        "cannot choose the width of a trained model");
  check(request.patch == 0 && request.decoder == DecoderOptions{}, ErrorKind::config, request.model,
        "is a trained model: its patches, context, heads and block cannot change");
  ModelChoice choice{read_model_config(request.model), request.model, "", 0};
  check_model_fits(choice.config, geometry, request.model);
  return choice;
}

void set_design(ModelChoice& choice, const std::string& text, const ModelRequest& request) {
  const DesignRegistry& designs = standard_designs();
  FeedForwardSpec spec = designs.parse(text);
  choice.design_text = text;
  if (!choice.folder.empty())
    spec = upcycled_spec(spec, feed_forward_of(choice.config),
                         feed_forward_site(choice.config).width, designs);
  feed_forward_of(choice.config) = spec;
  if (request.match.empty()) return;
  const FeedForwardSite site = feed_forward_site(choice.config);
  const FeedForwardSpec target = designs.with_hidden(designs.parse(request.match_to), site.width);
  if (designs.with_hidden(spec, site.width) == target) {
    choice.match_ratio = 1;
    return;
  }
  const MatchResult match = match_hidden(spec, target, parse_budget(request.match), site, designs);
  feed_forward_of(choice.config) = match.spec;
  choice.match_ratio = match.ratio;
}

}  // namespace

std::string_view default_model(bool text) { return text ? "lm-nano" : "vit-nano"; }

std::vector<ModelChoice> choose_models(const ModelRequest& request, const TaskGeometry& geometry) {
  check(request.match.empty() || !request.feed_forward.empty(), ErrorKind::config, "--match",
        "needs --ffn: the design whose hidden width is to be chosen");
  const ModelChoice base = base_choice(request, geometry);
  std::vector<ModelChoice> choices;
  for (const std::string& text : request.feed_forward) {
    choices.push_back(base);
    set_design(choices.back(), text, request);
  }
  if (choices.empty()) choices.push_back(base);
  for (ModelChoice& choice : choices) {
    FeedForwardSpec& spec = feed_forward_of(choice.config);
    spec = standard_designs().with_hidden(spec, feed_forward_site(choice.config).width);
  }
  return choices;
}

}  // namespace ffn::inline v0
