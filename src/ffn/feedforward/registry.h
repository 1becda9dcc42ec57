// Which designs there are. A program copies the standard list and adds its own by an explicit call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/feed_forward.h"
#include "ffn/feedforward/spec.h"

namespace ffn::inline v0 {

// A key=value that a design takes.
struct DesignOption {
  std::string_view key, meaning;
  bool sizes_hidden = false;  // chooses H, so it is gone once hidden= is written
};

// The largest hidden width.
inline constexpr std::int64_t kMaxHidden = std::int64_t{1} << 24;

// What stands between a design's brackets beside its options: one activation; or one design inside,
// which then holds the ratio or hidden=; or a number of experts and the design that each of them
// is.
enum class DesignArgument { activation, design, experts };

class DesignRegistry;

struct DesignEntry {
  std::string_view name, summary, source;
  DesignArgument argument = DesignArgument::activation;
  std::vector<DesignOption> options = {};  // beside the activation, xRATIO and hidden
  BlockRule block = {};
  // H is a multiple of this; hidden= of another width is refused.
  std::int64_t hidden_unit = 1;
  // Its linear maps are add_linear()'s alone, so that it may stand in lowrank(…).
  bool takes_rank = false;
  // Its linear maps are add_linear()'s alone and it takes every token by itself, so that its maps
  // may be experts' or have such beside them. A design around another is as the one inside.
  bool takes_experts = false;
  bool batch_norm = false;  // behind its maps unless norm=none is given (fold_batch_norm.h)
  // H for a model width D when hidden= is not given: by spec.ratio, or 0 for the design's own rule.
  // Null where the argument is a design.
  std::int64_t (*hidden)(const FeedForwardSpec& spec, std::int64_t width) = nullptr;
  // Checked arguments: spec has its argument and `hidden`. Errors: config for values out of range
  // and a site that the design cannot stand in.
  FeedForwardCosts (*costs)(const FeedForwardSpec& spec, const FeedForwardSite& site,
                            const DesignRegistry& designs) = nullptr;
  std::unique_ptr<FeedForward> (*build)(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                        ParameterSet& parameters,
                                        const DesignRegistry& designs) = nullptr;

  // "an activation, xRATIO, hidden=, k=".
  std::string options_text() const;
};

// round(ratio·D), with the spec's ratio or `otherwise`.
std::int64_t ratio_hidden(const FeedForwardSpec& spec, std::int64_t width, double otherwise);
// DesignEntry::costs and ::build of a design that holds no other: a function of spec and site, and
// a layer class whose constructor takes spec, site and parameters.
template <FeedForwardCosts (*costs)(const FeedForwardSpec&, const FeedForwardSite&)>
FeedForwardCosts layer_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                             const DesignRegistry&) {
  return costs(spec, site);
}
template <class Layer>
std::unique_ptr<FeedForward> make_layer(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                        ParameterSet& parameters, const DesignRegistry&) {
  return std::make_unique<Layer>(spec, site, parameters);
}

struct DesignAlias {
  std::string_view name, text;
};

class DesignRegistry {
 public:
  // Throws Error{config} for a name that is taken.
  void add(const DesignEntry& entry);
  void add_alias(const DesignAlias& alias);

  const std::vector<DesignEntry>& entries() const { return entries_; }
  const std::vector<DesignAlias>& aliases() const { return aliases_; }
  // Throws Error{config}: "unknown design 'swigl', did you mean 'swiglu'?"
  const DesignEntry& at(std::string_view name) const;

  // Text to a spec with known names and options: aliases replaced, every argument one that the
  // design takes. Errors: config.
  FeedForwardSpec parse(std::string_view text) const;
  // The spec with `hidden` written out for a model width (of the design inside, where there is
  // one), ratio and other options that size it gone. Errors: config.
  FeedForwardSpec with_hidden(FeedForwardSpec spec, std::int64_t width) const;
  // The part of the spec that holds the hidden width: the spec itself, or the design inside.
  FeedForwardSpec& sized(FeedForwardSpec& spec) const;
  // DesignEntry::takes_experts of the innermost design.
  bool takes_experts(const FeedForwardSpec& spec) const;
  FeedForwardCosts costs(const FeedForwardSpec& spec, const FeedForwardSite& site) const;
  // Adds the layer's weights to `parameters`.
  std::unique_ptr<FeedForward> build(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                     ParameterSet& parameters) const;

 private:
  FeedForwardSpec resolve(FeedForwardSpec spec) const;
  void check_arguments(const FeedForwardSpec& spec) const;

  std::vector<DesignEntry> entries_;
  std::vector<DesignAlias> aliases_;
};

// The designs and aliases of docs/feedforward.md.
const DesignRegistry& standard_designs();

}  // namespace ffn::inline v0
