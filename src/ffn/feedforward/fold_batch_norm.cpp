#include "ffn/feedforward/fold_batch_norm.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/layers/batch_norm_layer.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

using Numbers = std::vector<double>;

// A batch norm as what it makes of its map's output: (y − mean)·factor + shift.
struct Fold {
  Numbers factor, mean, shift;
};
using Folds = std::map<std::string, Fold>;  // by the map's name

const Tensor& tensor_of(const Parameter& parameter) {
  return parameter.trainable() ? parameter.master : parameter.value;
}

State* find_state(ParameterSet& set, std::string_view name) {
  const auto found = std::ranges::find(set.states(), name, &State::name);
  return found == set.states().end() ? nullptr : &*found;
}

// "a.up" of the state "a.up_norm.running"; empty for other states.
std::string folded_map(const State& state) {
  constexpr std::string_view kNorm = "_norm.running";
  if (!state.name.ends_with(kNorm)) return {};
  return state.name.substr(0, state.name.size() - kNorm.size());
}

Fold read_fold(ParameterSet& from, const State& state, const std::string& map) {
  const Numbers running = host_values(state.tensor);  // means, then variances
  const Numbers weight = host_values(tensor_of(from.at(map + "_norm.weight")));
  const Numbers bias = host_values(tensor_of(from.at(map + "_norm.bias")));
  const std::size_t C = weight.size();
  Fold fold;
  for (std::size_t c = 0; c < C; ++c) {
    const double variance = running[C + c] + static_cast<double>(BatchNormLayer::kEps);
    fold.factor.push_back(weight[c] / std::sqrt(variance));
    fold.mean.push_back(fault(642) ? 0 : running[c]);
    fold.shift.push_back(bias[c]);
  }
  return fold;
}

Folds read_folds(ParameterSet& from, ParameterSet& to) {
  Folds folds;
  for (const State& state : from.states()) {
    const std::string map = folded_map(state);
    if (map.empty() || find_state(to, state.name) != nullptr) continue;
    folds.emplace(map, read_fold(from, state, map));
    check(to.find(map + ".bias") != nullptr, ErrorKind::config, "fold", "the model without '", map,
          "_norm' has no '", map, ".bias' to take its shift; build it in a site with biases");
  }
  return folds;
}

Numbers folded_values(ParameterSet& from, const Parameter& target, const Folds& folds) {
  const std::size_t dot = target.name.rfind('.');
  const std::string map = target.name.substr(0, dot);
  const auto found = folds.find(map);
  const bool is_bias = dot != std::string::npos && target.name.substr(dot) == ".bias";
  const Parameter* source = from.find(target.name);
  const std::size_t count = static_cast<std::size_t>(target.shape.count());
  if (source == nullptr && !(is_bias && found != folds.end())) from.at(target.name);  // throws
  Numbers values = source == nullptr ? Numbers(count, 0.0) : host_values(tensor_of(*source));
  check(values.size() == count, ErrorKind::config, "fold", "'", target.name, "' is ",
        source == nullptr ? target.shape : source->shape, " and ", target.shape);
  if (found == folds.end()) return values;
  const Fold& fold = found->second;
  const std::size_t per_output = count / fold.factor.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t c = i / per_output;
    values[i] = is_bias ? (values[i] - fold.mean[c]) * fold.factor[c] + fold.shift[c]
                        : values[i] * fold.factor[c];
  }
  return values;
}

FeedForwardSpec* part_with_norms(FeedForwardSpec& spec, const DesignRegistry& designs) {
  if (designs.at(spec.design).batch_norm) {
    const auto norm = spec.options.find("norm");
    if (norm == spec.options.end() || norm->second != "none") return &spec;
  }
  for (FeedForwardSpec& inner : spec.nested)
    if (FeedForwardSpec* found = part_with_norms(inner, designs)) return found;
  return nullptr;
}

}  // namespace

bool can_fold(const FeedForwardSpec& spec, const DesignRegistry& designs) {
  FeedForwardSpec copy = spec;
  return part_with_norms(copy, designs) != nullptr;
}

FeedForwardSpec folded(const FeedForwardSpec& spec, const DesignRegistry& designs) {
  FeedForwardSpec result = spec;
  check(can_fold(spec, designs), ErrorKind::config, "fold", "'", to_string(spec),
        "' has no batch norms to fold");
  while (FeedForwardSpec* part = part_with_norms(result, designs)) part->options["norm"] = "none";
  return result;
}

void copy_folded(Executor& ex, ParameterSet& from, ParameterSet& to) {
  const Folds folds = read_folds(from, to);
  for (Parameter& target : to.all())
    set_host_values(tensor_of(target), folded_values(from, target, folds));
  for (State& target : to.states()) {
    const State* source = find_state(from, target.name);
    check(source != nullptr, ErrorKind::config, "fold", "no state '", target.name,
          "' to copy from");
    set_host_values(target.tensor, host_values(source->tensor));
  }
  to.weights_changed(ex);
}

}  // namespace ffn::inline v0
