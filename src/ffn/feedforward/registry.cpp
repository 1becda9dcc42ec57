#include "ffn/feedforward/registry.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/feedforward/dense.h"

namespace ffn::inline v0 {
namespace {

void check_options(const FeedForwardSpec& spec, const DesignEntry& entry) {
  for (const auto& [key, value] : spec.options) {
    const bool known = (key == "hidden" && entry.argument == DesignArgument::activation) ||
                       std::ranges::any_of(entry.options, [&](const DesignOption& option) {
                         return option.key == key;
                       });
    check(known, ErrorKind::config, "design", "'", to_string(spec), "': '", key,
          "' is no option of ", entry.name, "; it takes ", entry.options_text());
  }
  if (!spec.options.contains("hidden")) return;
  check(spec.ratio == 0, ErrorKind::config, "design", "'", to_string(spec),
        "': a ratio and hidden= both set the hidden width");
  for (const DesignOption& option : entry.options)
    check(!option.sizes_hidden || !spec.options.contains(std::string(option.key)),
          ErrorKind::config, "design", "'", to_string(spec), "': ", option.key,
          "= and hidden= both set the hidden width");
  const std::int64_t H = integer_option(spec, "hidden", 1, 1, kMaxHidden);
  check(H % entry.hidden_unit == 0, ErrorKind::config, "design", "'", to_string(spec),
        "': hidden is ", H, "; ", entry.name, " takes multiples of ", entry.hidden_unit);
}

}  // namespace

std::string DesignEntry::options_text() const {
  std::string text = argument == DesignArgument::activation ? "an activation, xRATIO, hidden="
                     : argument == DesignArgument::design   ? "a design inside"
                                                            : "a number of experts, a design";
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

// An alias's own text, then what was given with it, which its own options give way to; a hidden
// width takes the place of whatever else sizes it.
FeedForwardSpec DesignRegistry::resolve(FeedForwardSpec spec) const {
  const auto alias = std::ranges::find(aliases_, spec.design, &DesignAlias::name);
  if (alias == aliases_.end()) return spec;
  FeedForwardSpec full = parse_spec(alias->text);
  full.words.insert(full.words.end(), spec.words.begin(), spec.words.end());
  full.nested.insert(full.nested.end(), spec.nested.begin(), spec.nested.end());
  if (spec.options.contains("hidden")) {
    full.ratio = 0;
    for (const DesignOption& option : at(full.design).options)
      if (option.sizes_hidden) full.options.erase(std::string(option.key));
  }
  if (spec.ratio > 0) full.ratio = spec.ratio;
  spec.options.merge(full.options);
  full.options = std::move(spec.options);
  return full;
}

void DesignRegistry::check_arguments(const FeedForwardSpec& spec) const {
  const DesignEntry& entry = at(spec.design);
  if (entry.argument == DesignArgument::activation) {
    check(spec.nested.empty(), ErrorKind::config, "design", "'", to_string(spec), "': ", entry.name,
          " takes no design inside");
    activation_of(spec);
  } else {
    const bool experts = entry.argument == DesignArgument::experts;
    check(spec.nested.size() == 1 && spec.words.size() == (experts ? 1 : 0), ErrorKind::config,
          "design", "'", to_string(spec), "': ", entry.name, " takes ",
          experts ? "a number of experts and one design" : "one design inside", ", as in ",
          entry.name, experts ? "(8, mlp(gelu))" : "(mlp(gelu))");
    if (experts) experts_of(spec);
    check(spec.ratio == 0, ErrorKind::config, "design", "'", to_string(spec),
          "': the ratio belongs to the design inside");
  }
  check_options(spec, entry);
}

FeedForwardSpec DesignRegistry::parse(std::string_view text) const {
  FeedForwardSpec spec = resolve(parse_spec(text));
  check_arguments(spec);
  for (FeedForwardSpec& inner : spec.nested) inner = parse(to_string(inner));
  // Values are checked where they have a meaning: at a site that none is too large for, with the
  // design's own width, since a ratio may be meant for another one.
  FeedForwardSpec sample = spec;
  sized(sample).ratio = 0;
  costs(sample, {.width = 1 << 16, .grid = {1, 1, 0}, .tokens = 1, .name = {}, .weight_init = {}});
  return spec;
}

FeedForwardSpec& DesignRegistry::sized(FeedForwardSpec& spec) const {
  return at(spec.design).argument == DesignArgument::activation ? spec : sized(spec.nested.at(0));
}

bool DesignRegistry::takes_experts(const FeedForwardSpec& spec) const {
  const DesignEntry& entry = at(spec.design);
  if (entry.argument == DesignArgument::activation) return entry.takes_experts;
  return entry.argument == DesignArgument::design && takes_experts(spec.nested.at(0));
}

FeedForwardSpec DesignRegistry::with_hidden(FeedForwardSpec spec, std::int64_t width) const {
  FeedForwardSpec& part = sized(spec);
  if (part.options.contains("hidden")) return spec;
  const DesignEntry& entry = at(part.design);
  const std::int64_t hidden = entry.hidden(part, width);
  check(hidden >= 1 && hidden <= kMaxHidden, ErrorKind::config, "design", "'", to_string(spec),
        "': a hidden width of ", hidden, " for a model width of ", width, "; expected 1 to ",
        kMaxHidden);
  part.options["hidden"] = std::to_string(hidden);
  part.ratio = 0;
  for (const DesignOption& option : entry.options)
    if (option.sizes_hidden) part.options.erase(std::string(option.key));
  return spec;
}

FeedForwardCosts DesignRegistry::costs(const FeedForwardSpec& spec,
                                       const FeedForwardSite& site) const {
  return at(spec.design).costs(with_hidden(spec, site.width), site, *this);
}

std::unique_ptr<FeedForward> DesignRegistry::build(const FeedForwardSpec& spec,
                                                   const FeedForwardSite& site,
                                                   ParameterSet& parameters) const {
  return at(spec.design).build(with_hidden(spec, site.width), site, parameters, *this);
}

std::int64_t ratio_hidden(const FeedForwardSpec& spec, std::int64_t width, double otherwise) {
  // Beyond kMaxHidden with_hidden() refuses; the cap keeps the conversion defined.
  const double exact = (spec.ratio > 0 ? spec.ratio : otherwise) * static_cast<double>(width);
  return static_cast<std::int64_t>(std::round(std::min(exact, 2.0 * kMaxHidden)));
}

}  // namespace ffn::inline v0
