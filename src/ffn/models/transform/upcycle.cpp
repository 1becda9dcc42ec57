#include "ffn/models/transform/upcycle.h"
#include "ffn/io/checkpoint.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "ffn/base/error.h"
#include "ffn/base/event_sink.h"
#include "ffn/models/weight_file.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

// "mlp.experts.3.up_proj" without what stands for the expert; nothing when it is of none.
std::optional<std::string> without_expert(std::string_view name) {
  constexpr std::string_view kExperts = "experts.";
  const std::size_t at = name.find(kExperts);
  if (at == std::string_view::npos || (at > 0 && name[at - 1] != '.')) return std::nullopt;
  const std::size_t number = at + kExperts.size();
  const std::size_t end = name.find_first_not_of("0123456789", number);
  if (end == std::string_view::npos || end == number || name[end] != '.') return std::nullopt;
  return std::string(name.substr(0, at)).append(name.substr(end + 1));
}

// "mlp.shared_experts.up_proj" or "shared.up" without what stands for the shared ones.
std::optional<std::string> without_shared(std::string_view name) {
  for (const std::string_view shared : {".shared_experts.", ".shared."}) {
    const std::size_t at = name.find(shared);
    if (at == std::string_view::npos) continue;
    return std::string(name.substr(0, at + 1)).append(name.substr(at + shared.size()));
  }
  return std::nullopt;
}

// Of a part that no dense layer has.
bool is_new(std::string_view name) {
  constexpr std::string_view kNew[] = {".gate.",
                                       ".router.",
                                       ".lora_a.",
                                       ".lora_b.",
                                       ".slots.",
                                       ".shared_gate.",
                                       ".shared_expert_gate."};
  return std::ranges::any_of(
      kNew, [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

bool has_shared(const std::vector<StoredWeight>& stored) {
  return std::ranges::any_of(
      stored, [](const StoredWeight& weight) { return without_shared(weight.name).has_value(); });
}

// Of the projection that ends the layer, by the names of both model families.
bool ends_layer(std::string_view name) {
  return name.find(".down") != std::string_view::npos ||
         name.find(".output.dense") != std::string_view::npos;
}

void set_zero(const StoredWeight& weight) {
  const auto count = static_cast<std::size_t>(weight.tensor().shape().count());
  set_host_values(weight.tensor(), std::vector<double>(count, 0.0));
}

// "up_proj, down_proj": the maps that low-rank experts now stand beside; empty where there are
// none.
std::string attached_maps(const std::vector<std::string>& fresh) {
  std::vector<std::string> maps;
  for (const std::string& name : fresh) {
    const std::size_t end = name.find(".lora_a.");
    if (end == std::string::npos) continue;
    const std::size_t begin = name.rfind('.', end - 1) + 1;
    const std::string map = name.substr(begin, end - begin);
    if (std::ranges::find(maps, map) == maps.end()) maps.push_back(map);
  }
  std::string text;
  for (const std::string& map : maps) text.append(text.empty() ? "" : ", ").append(map);
  return text;
}

void say(const std::string& folder, const FeedForwardSpec& target, const Upcycled& result) {
  std::string text = "'" + to_string(target) + "' starts from the dense layers of " + folder +
                     ": " + std::to_string(result.copied) + " tensors copied, " +
                     std::to_string(result.fresh.size()) + " new";
  const std::string maps = attached_maps(result.fresh);
  if (!maps.empty()) {
    text += "; experts stand beside the frozen " + maps;
  } else if (!result.fresh.empty()) {
    text += ", such as " + result.fresh.front();
  }
  emit(Severity::info, "upcycle", text);
}

}  // namespace

FeedForwardSpec upcycled_spec(const FeedForwardSpec& target, const FeedForwardSpec& dense,
                              std::int64_t width, const DesignRegistry& designs) {
  const bool experts = designs.at(target.design).argument == DesignArgument::experts;
  check(experts && designs.at(dense.design).argument == DesignArgument::activation,
        ErrorKind::config, "--ffn", "'", to_string(target), "' cannot take the place of '",
        to_string(dense), "' in a trained model; experts of it can, as in moe(8, ",
        to_string(dense), ")");
  FeedForwardSpec made = target;
  FeedForwardSpec& inner = made.nested.at(0);
  const FeedForwardSpec full = designs.with_hidden(dense, width);
  if (inner.ratio == 0 && !inner.options.contains("hidden"))
    inner.options["hidden"] = full.options.at("hidden");
  inner = designs.with_hidden(inner, width);
  check(inner == full, ErrorKind::config, "--ffn", "the trained model has '", to_string(full),
        "'; experts that start from it cannot be '", to_string(inner), "'");
  return made;
}

Upcycled upcycle_weights(Executor& ex, const std::string& folder, const FeedForwardSpec& target,
                         const std::vector<StoredWeight>& stored, ParameterSet& parameters) {
  const WeightFile file(*open_checkpoint(folder));
  const bool shared = has_shared(stored);
  Upcycled result;
  std::set<std::string> used;
  const auto copy = [&](const StoredWeight& weight, const std::string& name) {
    file.read(ex, weight, name);
    used.insert(name);
    ++result.copied;
  };
  for (const StoredWeight& weight : stored) {
    if (const auto expert = without_expert(weight.name)) {
      copy(weight, *expert);
      if (shared && ends_layer(weight.name) && !ex.dry()) set_zero(weight);
    } else if (const auto common = without_shared(weight.name)) {
      check(file.shape(*common) == weight.shape, ErrorKind::config, "--ffn",
            "the shared experts of '", to_string(target),
            "' are wider than the layer that they start from; shared=1 is as wide");
      copy(weight, *common);
    } else if (is_new(weight.name)) {
      result.fresh.push_back(weight.name);
    } else {
      copy(weight, weight.name);
    }
  }
  const std::vector<std::string_view> harmless = harmless_names(read_model_config(folder));
  file.check_used(used, harmless);
  parameters.weights_changed(ex);
  return result;
}

void start_weights(Executor& ex, const std::string& folder, const FeedForwardSpec& design,
                   const std::vector<StoredWeight>& stored, ParameterSet& parameters) {
  const ModelConfig config = read_model_config(folder);
  if (feed_forward_of(config) == design) return read_model_weights(ex, folder, stored, parameters);
  say(folder, design, upcycle_weights(ex, folder, design, stored, parameters));
}

}  // namespace ffn::inline v0
