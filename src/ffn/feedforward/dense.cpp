#include "ffn/feedforward/dense.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"

namespace ffn::inline v0 {
namespace {

constexpr Activation kActivations[] = {
    Activation::relu,      Activation::gelu,        Activation::gelu_tanh, Activation::quick_gelu,
    Activation::silu,      Activation::relu2,       Activation::sigmoid,   Activation::tanh,
    Activation::hardswish, Activation::hardsigmoid, Activation::identity};

}  // namespace

Activation activation_of(const FeedForwardSpec& spec) {
  check(spec.words.size() == 1, ErrorKind::config, "design", "'", to_string(spec), "' has ",
        spec.words.size(), " plain arguments; ", spec.design, " takes one, its activation, as in ",
        spec.design, "(gelu)");
  std::vector<std::string_view> names;
  for (const Activation kind : kActivations) {
    if (to_string(kind) == spec.words[0]) return kind;
    names.push_back(to_string(kind));
  }
  fail(ErrorKind::config, "design", "unknown activation '", spec.words[0], "'",
       did_you_mean(spec.words[0], names));
}

std::int64_t experts_of(const FeedForwardSpec& spec) {
  const std::string& text = spec.words.at(0);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  check(error == std::errc{} && end == text.data() + text.size() && count >= 1 &&
            count <= kMaxExperts,
        ErrorKind::config, "design", "'", to_string(spec), "': ", text,
        " is no number of experts; expected 1 to ", kMaxExperts);
  return count;
}

std::int64_t integer_option(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const auto found = spec.options.find(std::string(key));
  if (found == spec.options.end()) return otherwise;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most,
        ErrorKind::config, "design", "'", to_string(spec), "': ", key, " is ", text,
        "; expected an integer from ", least, " to ", most);
  return value;
}

std::string_view choice_option(const FeedForwardSpec& spec, std::string_view key,
                               std::initializer_list<std::string_view> choices) {
  const auto found = spec.options.find(std::string(key));
  if (found == spec.options.end()) return *choices.begin();
  std::string expected;
  for (const std::string_view choice : choices) {
    if (choice == found->second) return choice;
    expected.append(expected.empty() ? "" : " or ").append(choice);
  }
  fail(ErrorKind::config, "design", "'", to_string(spec), "': ", key, " is ", found->second,
       "; expected ", expected);
}

double number_option(const FeedForwardSpec& spec, std::string_view key, double otherwise,
                     double least, double most) {
  const auto found = spec.options.find(std::string(key));
  if (found == spec.options.end()) return otherwise;
  const std::string& text = found->second;
  double value = 0;
  const char* stop = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), stop, value, std::chars_format::fixed);
  check(error == std::errc{} && end == stop && value >= least && value <= most, ErrorKind::config,
        "design", "'", to_string(spec), "': ", key, " is ", text, "; expected a number from ",
        least, " to ", most);
  return value;
}

bool flag_option(const FeedForwardSpec& spec, std::string_view key, bool otherwise) {
  return (otherwise ? choice_option(spec, key, {"true", "false"})
                    : choice_option(spec, key, {"false", "true"})) == "true";
}

void check_grid(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check(site.grid.height > 0 && site.grid.width > 0, ErrorKind::config, "design", "'",
        to_string(spec), "' mixes neighbours on a grid of tokens; these tokens have none");
}

std::int64_t hidden_of(const FeedForwardSpec& spec) {
  return integer_option(spec, "hidden", 0, 1, kMaxHidden);
}

FeedForwardSite with_own_bias(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  FeedForwardSite own = site;
  if (spec.options.contains(std::string(kBiasOption.key)))
    own.bias = flag_option(spec, kBiasOption.key, true);
  return own;
}

bool rounds_up(const FeedForwardSpec& spec) {
  return spec.options.contains(std::string(kMultipleOption.key));
}

std::int64_t multiple_hidden(const FeedForwardSpec& spec, std::int64_t width,
                             std::int64_t otherwise) {
  const std::int64_t M = integer_option(spec, kMultipleOption.key, 1, 1, kMaxHidden);
  if (spec.ratio > 0) {
    // The cap keeps the conversion defined; with_hidden() refuses what lies beyond kMaxHidden.
    const double exact = std::min(spec.ratio * static_cast<double>(width), 2.0 * kMaxHidden);
    otherwise = static_cast<std::int64_t>(exact);
  }
  return (otherwise + M - 1) / M * M;
}

}  // namespace ffn::inline v0
