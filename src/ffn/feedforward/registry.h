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
};

struct DesignEntry {
  std::string_view name, summary, source;
  std::vector<DesignOption> options;  // beside the activation, xRATIO and hidden
  // H for a model width D when neither a ratio nor hidden is given.
  std::int64_t (*default_hidden)(std::int64_t width);
  // Checked arguments: spec has one activation and `hidden`. Errors: config for values out of range
  // and a site that the design cannot stand in.
  FeedForwardCosts (*costs)(const FeedForwardSpec& spec, const FeedForwardSite& site);
  std::unique_ptr<FeedForward> (*build)(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                        ParameterSet& parameters);

  // "ACTIVATION, xRATIO, hidden=…, k=…".
  std::string options_text() const;
};

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
  // The spec with `hidden` written out for a model width, ratio gone. Errors: config.
  FeedForwardSpec with_hidden(FeedForwardSpec spec, std::int64_t width) const;
  FeedForwardCosts costs(const FeedForwardSpec& spec, const FeedForwardSite& site) const;
  // Adds the layer's weights to `parameters`.
  std::unique_ptr<FeedForward> build(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                     ParameterSet& parameters) const;

 private:
  FeedForwardSpec resolve(FeedForwardSpec spec) const;

  std::vector<DesignEntry> entries_;
  std::vector<DesignAlias> aliases_;
};

// mlp, glu, dwconv and the aliases of docs/feedforward.md.
const DesignRegistry& standard_designs();

}  // namespace ffn::inline v0
