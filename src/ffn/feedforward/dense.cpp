#include "ffn/feedforward/dense.h"

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

void check_grid(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check(site.grid.height > 0 && site.grid.width > 0, ErrorKind::config, "design", "'",
        to_string(spec), "' mixes neighbours on a grid of tokens; these tokens have none");
}

std::int64_t hidden_of(const FeedForwardSpec& spec) {
  return integer_option(spec, "hidden", 0, 1, std::int64_t{1} << 24);
}

LinearLayer add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                       std::int64_t out, std::int64_t in) {
  return {parameters, site.name(part), {out, in, site.bias}, site.weight_init};
}

}  // namespace ffn::inline v0
