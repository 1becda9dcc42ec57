#include "property/random_design.h"

#include <cstdlib>

namespace ffn::test {
namespace {

// 200 cases of each property, the same ones in every run; RC_PARAMS in the environment asks for
// others.
const bool kConfigured = setenv("RC_PARAMS", "max_success=200 seed=5", 0) == 0;

std::int64_t between(std::int64_t least, std::int64_t most) {
  return *rc::gen::inRange<std::int64_t>(least, most + 1);
}

std::string one_of(std::vector<std::string> choices) {
  return *rc::gen::elementOf(std::move(choices));
}

std::string activation(bool smooth) {
  std::vector<std::string> all{"gelu", "gelu_tanh", "quick_gelu", "silu", "tanh", "sigmoid"};
  if (!smooth) all.insert(all.end(), {"relu", "relu2", "hardswish", "identity"});
  return one_of(std::move(all));
}

std::string hidden(std::int64_t least, std::int64_t most, std::int64_t step = 1) {
  return ", hidden=" + std::to_string(step * between(least, most));
}

std::string plain(bool smooth) {
  if (*rc::gen::arbitrary<bool>())
    return "mlp(" + activation(smooth) + hidden(1, 24) + one_of({"", ", bias=true"}) + ")";
  return "glu(" + activation(smooth) + hidden(1, 24) +
         one_of({"", ", fused=gate-up", ", fused=up-gate", ", bias=false"}) + ")";
}

FeedForwardSite token_site(bool causal) {
  FeedForwardSite site;
  site.width = between(1, 20);
  site.tokens = between(1, 9);
  site.bias = *rc::gen::arbitrary<bool>();
  site.causal = causal;
  return site;
}

FeedForwardSite grid_site(bool statistics) {
  FeedForwardSite site = token_site(false);
  site.grid = {between(1, 4), between(1, 4), between(0, 1)};
  // A variance of one number is no variance.
  if (statistics && site.grid.height * site.grid.width == 1) site.grid.height = 2;
  site.tokens = site.grid.rows();
  return site;
}

std::string kernel_text() { return one_of({"", ", k=1", ", k=5"}); }

RandomDesign convolutional(const std::string& name, bool smooth, bool statistics) {
  RandomDesign made;
  made.site = grid_site(statistics);
  made.text = name + "(" + activation(smooth) + hidden(1, 12);
  if (name == "dwconv") made.text += kernel_text();
  if (name != "dwconv") made.text += statistics ? one_of({"", ", norm=none"}) : ", norm=none";
  if (name == "daff") {
    made.text += one_of({"", ", shortcut=no"});
    made.text += made.site.grid.prefix == 1 ? one_of({"", ", gate=no"}) : ", gate=no";
  }
  made.text += ")";
  return made;
}

// A layer of 1 to 6 experts. Losses of the router are left out of `smooth` ones, whose gradient is
// compared with the derivative of the output alone.
RandomDesign experts(const std::string& name, bool smooth, bool statistics) {
  RandomDesign made;
  const bool looks_ahead = name == "expert-choice" || name == "soft-moe";
  made.site = token_site(!looks_ahead && *rc::gen::arbitrary<bool>());
  // As many slots as tokens make a whole number of flops for each token.
  const std::int64_t E = name == "soft-moe" ? made.site.tokens : between(1, 6);
  made.text = name + "(" + std::to_string(E) + ", " + plain(smooth);
  const std::string top = ", top=" + std::to_string(between(1, E));
  const std::string balance = smooth ? ", balance=0" : one_of({"", ", balance=0.5"});
  if (name == "moe") made.text += top + balance + one_of({"", ", weights=all"});
  if (name == "switch") made.text += ", capacity=0" + balance;
  if (name == "deepseek-moe") {
    made.text += top + balance + ", shared=" + std::to_string(between(0, 2));
    made.text += one_of({"", ", scores=sigmoid, normalise=true"});
    if (statistics && !smooth) made.text += one_of({"", ", bias_rate=0.01"});
  }
  if (name == "expert-choice") made.text += ", capacity=1";
  if (name == "lora-moe") made.text += ", rank=" + std::to_string(between(1, 3)) + balance;
  made.text += ")";
  return made;
}

}  // namespace

RandomDesign random_design(bool smooth, bool statistics) {
  std::vector<std::string> names;
  for (const DesignEntry& entry : standard_designs().entries()) names.emplace_back(entry.name);
  const std::string name = one_of(names);
  RandomDesign made;
  if (name == "mlp" || name == "glu") {
    made = {plain(smooth), token_site(*rc::gen::arbitrary<bool>())};
  } else if (name == "gmlp") {
    made = {"gmlp(" + activation(smooth) + hidden(1, 12, 2) + ")", token_site(false)};
  } else if (name == "lowrank") {
    made = {"lowrank(" + plain(smooth) + ", rank=1)", token_site(true)};
  } else if (name == "tiny") {
    made = {"tiny(" + activation(smooth) + hidden(1, 2, 16) + one_of({"", ", layers=1"}) + ")",
            token_site(true)};
  } else if (standard_designs().at(name).argument == DesignArgument::experts) {
    made = experts(name, smooth, statistics);
  } else if (name == "causal-dwconv") {
    made = {"causal-dwconv(" + activation(smooth) + hidden(1, 12) + one_of({"", ", k=2"}) + ")",
            token_site(true)};
  } else {
    made = convolutional(name, smooth, statistics);
  }
  made.sequences = between(1, 3);
  return made;
}

std::vector<double> named_numbers(std::string_view name, std::int64_t count, double scale) {
  const RandomStream stream(5, name);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>(
        static_cast<float>(scale * stream.normal(0, static_cast<std::uint64_t>(i)))));
  return values;
}

RandomLayer::RandomLayer(Executor& executor, const RandomDesign& design, DType compute)
    : ex(executor),
      rows(design.rows()),
      width(design.site.width),
      sequences(design.sequences),
      dtype(compute),
      layer(standard_designs().build(standard_designs().parse(design.text), design.site,
                                     parameters)) {
  parameters.finalize(ex, dtype);
  if (ex.dry()) return;
  for (Parameter& parameter : parameters.all())
    set_host_values(parameter.stored(),
                    named_numbers(parameter.name, parameter.shape.count(), 0.5));
  parameters.weights_changed(ex);
}

Tensor RandomLayer::input(std::string_view name) const {
  const Tensor made = ex.allocate_persistent({{rows, width}, dtype, Role::activation}, Tag::data);
  if (!ex.dry()) set_host_values(made, named_numbers(name, rows * width, 1));
  return made;
}

double largest_of(const std::vector<double>& values, double least) {
  double largest = least;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace ffn::test
