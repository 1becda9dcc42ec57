#include "ffn/bench/layer_run.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/base/half.h"
#include "ffn/base/philox.h"
#include "ffn/bench/drawn_choices.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

FeedForwardSite site_of(const LayerCase& c, std::int64_t rows) {
  FeedForwardSite site;
  site.width = c.width;
  site.grid = c.grid;
  site.tokens = c.tokens > 0 ? c.tokens : rows;
  site.causal = c.causal;
  site.bias = c.bias;
  // Uniform rather than normal numbers: weights of some GB are made in seconds.
  site.weight_init = {Init::Kind::uniform, 0, 0.02 * std::sqrt(3.0)};
  return site;
}

// E of "moe(8, …)".
std::int64_t experts_of(const FeedForwardSpec& spec) {
  std::int64_t experts = 0;
  if (!spec.words.empty()) {
    const std::string& word = spec.words[0];
    std::from_chars(word.data(), word.data() + word.size(), experts);
  }
  check(experts >= 1, ErrorKind::config, "bench", "the design '", spec.design,
        "' names no number of experts");
  return experts;
}

void check_routing(const FeedForward& layer, const LayerCase& c) {
  const bool chooses = std::ranges::count(layer.taps(), std::string_view("choice")) > 0;
  check(chooses == (c.routing != RoutingShares::none), ErrorKind::config, "bench", "'", c.design,
        chooses ? "' has experts to choose: 'routing' must be uniform or zipf"
                : "' has no choice of experts that 'routing' could fix");
}

}  // namespace

void check_layer_case(const LayerCase& c) {
  ParameterSet parameters;  // never finalized: takes no memory
  const DesignRegistry& designs = standard_designs();
  const FeedForwardSpec spec = designs.parse(c.design);
  check_routing(*designs.build(spec, site_of(c, c.rows), parameters), c);
  if (c.routing != RoutingShares::none) experts_of(spec);
}

LayerRun::LayerRun(const Device& device, DType dtype, const LayerCase& c,
                   std::span<const std::int64_t> row_ids, std::uint64_t seed)
    : case_(c),
      dtype_(dtype),
      rows_(static_cast<std::int64_t>(row_ids.size())),
      sequences_(c.tokens > 0 ? rows_ / c.tokens : 1),
      ex_(device, c.memory) {
  const DesignRegistry& designs = standard_designs();
  const FeedForwardSpec spec = designs.parse(c.design);
  layer_ = designs.build(spec, site_of(c, rows_), parameters_);
  parameters_.finalize(ex_, dtype, c.pass == Pass::backward);
  initialize_all(ex_, parameters_, seed);
  if (c.prepared) ex_.set_prepared(&prepared_);
  x_ = numbers("bench.x", row_ids);
  if (c.pass == Pass::backward) dy_ = numbers("bench.dy", row_ids);
  check_routing(*layer_, c);
  if (c.routing != RoutingShares::none) fix_choices(experts_of(spec));
}

Tensor LayerRun::numbers(const char* name, std::span<const std::int64_t> row_ids) {
  const Tensor made =
      ex_.allocate_persistent({{rows_, case_.width}, dtype_, Role::activation}, Tag::data);
  if (ex_.dry()) return made;
  const RandomStream stream(3, name);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(made.shape().count()));
  for (const std::int64_t id : row_ids) {
    for (std::int64_t col = 0; col < case_.width; ++col) {
      const double exact =
          stream.normal(static_cast<std::uint64_t>(id), static_cast<std::uint64_t>(col));
      values.push_back(static_cast<double>(to_float(to_bf16(static_cast<float>(exact)))));
    }
  }
  set_host_values(made, values);
  return made;
}

// K, as a dry run of the layer says.
std::int64_t LayerRun::choices_of_a_row() {
  std::int64_t K = 0;
  Executor dry(dry_device(ex_.device()));
  ParameterSet parameters;
  const DesignRegistry& designs = standard_designs();
  const auto layer = designs.build(designs.parse(case_.design), site_of(case_, rows_), parameters);
  parameters.finalize(dry, dtype_, false);
  dry.taps().set("choice", {[&](const Tensor& choice) { K = choice.cols(); }, {}});
  const EvalScope eval(dry);
  const TensorSpec spec{{rows_, case_.width}, dtype_, Role::activation};
  layer->forward(dry, dry.constant(dry.allocate(spec)), sequences_);
  return K;
}

void LayerRun::fix_choices(std::int64_t experts) {
  const std::int64_t K = choices_of_a_row();
  choice_ = ex_.allocate_persistent({{rows_, K}, DType::i32, Role::activation}, Tag::data);
  if (!ex_.dry())
    std::ranges::copy(drawn_choices(rows_, experts, K, case_.routing),
                      choice_.data_as<std::int32_t>());
  ex_.taps().set("choice",
                 {{}, [this](Executor& ex, const Value&) { return ex.constant(choice_); }});
}

// Inside a segment, as in a block: with MemoryMode::recompute only x is kept.
Value LayerRun::forward(Value x) {
  Values inputs;
  inputs.push_back(std::move(x));
  Values outputs = ex_.segment(std::move(inputs), [this](Executor& ex, std::span<const Value> in) {
    Values out;
    out.push_back(layer_->forward(ex, in[0], sequences_));
    return out;
  });
  return std::move(outputs[0]);
}

void LayerRun::run() {
  const StepScope step(ex_);
  if (case_.pass == Pass::backward) {
    parameters_.reset_gradients();
    ex_.backward(forward(ex_.leaf(x_)), dy_);
    return;
  }
  const EvalScope eval(ex_);
  layer_->forward(ex_, ex_.constant(x_), sequences_);
}

std::vector<NamedValues> LayerRun::results() {
  std::vector<NamedValues> all;
  const StepScope step(ex_);
  if (case_.pass == Pass::forward) {
    const EvalScope eval(ex_);
    all.push_back({"y", host_values(layer_->forward(ex_, ex_.constant(x_), sequences_).tensor)});
    return all;
  }
  parameters_.reset_gradients();
  const Value x = ex_.leaf(x_), y = forward(x);
  all.push_back({"y", host_values(y.tensor)});
  ex_.backward(y, dy_);
  all.push_back({"dx", host_values(ex_.gradient(x))});
  parameters_.complete_gradients(ex_);
  for (Parameter& parameter : parameters_.all())
    if (parameter.trainable())
      all.push_back({"the gradient of " + parameter.name, host_values(parameter.slot.gradient)});
  return all;
}

void LayerRun::copy_weights(LayerRun& other) {
  for (Parameter& parameter : parameters_.all())
    set_host_values(parameter.stored(), host_values(other.parameters_.at(parameter.name).value));
  parameters_.weights_changed(ex_);
}

std::vector<std::int64_t> first_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<std::int64_t> spread_rows(std::int64_t rows, std::int64_t count) {
  if (count >= rows) return first_rows(rows);
  if (count == 1) return {rows - 1};
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back(i * (rows - 1) / (count - 1));
  return chosen;
}

std::int64_t predicted_layer_bytes(const Device& device, const LayerCase& c) {
  LayerRun dry(dry_device(device), c.dtype, c, first_rows(c.rows));
  dry.run();
  dry.run();  // in the slab that the first one laid out
  return dry.peak_bytes();
}

}  // namespace ffn::inline v0
