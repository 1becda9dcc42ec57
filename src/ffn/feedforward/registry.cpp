#include "ffn/feedforward/registry.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/designs.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kMaxHidden = std::int64_t{1} << 24;

void check_options(const FeedForwardSpec& spec, const DesignEntry& entry) {
  check(spec.nested.empty(), ErrorKind::config, "design", "'", to_string(spec), "': ", entry.name,
        " takes no design inside");
  for (const auto& [key, value] : spec.options) {
    const bool known =
        key == "hidden" || std::ranges::any_of(entry.options, [&](const DesignOption& option) {
          return option.key == key;
        });
    check(known, ErrorKind::config, "design", "'", to_string(spec), "': '", key,
          "' is no option of ", entry.name, "; it takes ", entry.options_text());
  }
  check(spec.ratio == 0 || !spec.options.contains("hidden"), ErrorKind::config, "design", "'",
        to_string(spec), "': a ratio and hidden= both set the hidden width");
  integer_option(spec, "hidden", 1, 1, kMaxHidden);
}

}  // namespace

std::string DesignEntry::options_text() const {
  std::string text = "an activation, xRATIO, hidden=";
  for (const DesignOption& option : options) text.append(", ").append(option.key).append("=");
  return text;
}

void DesignRegistry::add(const DesignEntry& entry) {
  const bool taken =
      std::ranges::any_of(entries_, [&](const DesignEntry& e) { return e.name == entry.name; });
  check(!taken, ErrorKind::config, "design", "'", entry.name, "' is registered already");
  entries_.push_back(entry);
}

void DesignRegistry::add_alias(const DesignAlias& alias) {
  const bool taken =
      std::ranges::any_of(aliases_, [&](const DesignAlias& a) { return a.name == alias.name; });
  check(!taken, ErrorKind::config, "design", "'", alias.name, "' is registered already");
  aliases_.push_back(alias);
}

const DesignEntry& DesignRegistry::at(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &DesignEntry::name);
  if (found != entries_.end()) return *found;
  std::vector<std::string_view> names;
  for (const DesignEntry& entry : entries_) names.push_back(entry.name);
  for (const DesignAlias& alias : aliases_) names.push_back(alias.name);
  fail(ErrorKind::config, "design", "unknown design '", name, "'", did_you_mean(name, names));
}

// An alias's own text, then what was given with it.
FeedForwardSpec DesignRegistry::resolve(FeedForwardSpec spec) const {
  const auto alias = std::ranges::find(aliases_, spec.design, &DesignAlias::name);
  if (alias == aliases_.end()) return spec;
  FeedForwardSpec full = parse_spec(alias->text);
  full.words.insert(full.words.end(), spec.words.begin(), spec.words.end());
  full.nested = std::move(spec.nested);
  full.ratio = spec.ratio;
  full.options = std::move(spec.options);
  return full;
}

FeedForwardSpec DesignRegistry::parse(std::string_view text) const {
  FeedForwardSpec spec = resolve(parse_spec(text));
  const DesignEntry& entry = at(spec.design);
  activation_of(spec);
  check_options(spec, entry);
  // Values are checked where they have a meaning; a narrow site shows them all.
  if (spec.ratio == 0) entry.costs(with_hidden(spec, 8), {.width = 8, .grid = {1, 1, 0}});
  return spec;
}

FeedForwardSpec DesignRegistry::with_hidden(FeedForwardSpec spec, std::int64_t width) const {
  if (spec.options.contains("hidden")) return spec;
  const double wanted = spec.ratio > 0 ? std::round(spec.ratio * static_cast<double>(width))
                                       : static_cast<double>(at(spec.design).default_hidden(width));
  check(wanted >= 1 && wanted <= static_cast<double>(kMaxHidden), ErrorKind::config, "design", "'",
        to_string(spec), "': a hidden width of ", wanted, " for a model width of ", width,
        "; expected 1 to ", kMaxHidden);
  spec.options["hidden"] = std::to_string(static_cast<std::int64_t>(wanted));
  spec.ratio = 0;
  return spec;
}

FeedForwardCosts DesignRegistry::costs(const FeedForwardSpec& spec,
                                       const FeedForwardSite& site) const {
  return at(spec.design).costs(with_hidden(spec, site.width), site);
}

std::unique_ptr<FeedForward> DesignRegistry::build(const FeedForwardSpec& spec,
                                                   const FeedForwardSite& site,
                                                   ParameterSet& parameters) const {
  return at(spec.design).build(with_hidden(spec, site.width), site, parameters);
}

const DesignRegistry& standard_designs() {
  static const DesignRegistry registry = [] {
    DesignRegistry designs;
    designs.add(mlp_design());
    designs.add(glu_design());
    designs.add(dwconv_design());
    for (const DesignAlias& alias :
         {DesignAlias{"swiglu", "glu(silu)"}, DesignAlias{"geglu", "glu(gelu)"},
          DesignAlias{"reglu", "glu(relu)"}, DesignAlias{"bilinear", "glu(identity)"},
          DesignAlias{"gelu", "mlp(gelu)"}, DesignAlias{"relu", "mlp(relu)"},
          DesignAlias{"relu2", "mlp(relu2)"}, DesignAlias{"swish", "mlp(silu)"}})
      designs.add_alias(alias);
    return designs;
  }();
  return registry;
}

}  // namespace ffn::inline v0
