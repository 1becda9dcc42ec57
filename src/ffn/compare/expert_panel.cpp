#include "ffn/compare/expert_panel.h"

#include <algorithm>

#include "ffn/compare/design_experts.h"
#include "ffn/compare/report_words.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kNamedRouters = 3;

// "6.2 of 8"
std::string of_experts(double number, std::int64_t experts) {
  return number_text(number) + " of " + std::to_string(experts);
}

std::vector<Cell> expert_row(std::string label, const DesignExperts& experts) {
  Cell agreement;
  if (experts.agreeing > 0)
    agreement = Cell(to_text(experts.agreement.agreement, NumberStyle::percent) + "\nby chance " +
                     to_text(experts.agreement.by_chance, NumberStyle::percent));
  return {std::move(label),
          of_experts(experts.health.effective_experts, experts.experts),
          number_text(experts.health.dead_experts),
          experts.health.dropped_share,
          experts.health.router_entropy,
          std::move(agreement)};
}

// Every router of every run that has collapsed.
std::vector<std::string> collapsed_routers(const ComparisonResult& result) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < result.designs.size(); ++i)
    for (const RunResult& run : result.designs[i].runs)
      for (const RouterHealth& router : run.experts)
        if (is_collapsed(router))
          found.push_back(label_of(result, i) + ", seed " + std::to_string(run.seed) + ", " +
                          load_text(router));
  return found;
}

}  // namespace

Table expert_table(const ComparisonResult& result) {
  using enum NumberStyle;
  Table table{{{"Design"},
               {"Effective experts", count},
               {"Dead experts", count},
               {"Dropped", percent},
               {"Router entropy", percent},
               {"Agreement of seeds", percent}},
              {}};
  for (std::size_t i = 0; i < result.designs.size(); ++i)
    if (const auto experts = design_experts(result.designs[i]))
      table.add_row(expert_row(label_of(result, i), *experts));
  return table;
}

std::string expert_text(const ComparisonResult& result) {
  if (!has_experts(result)) return "";
  const std::vector<std::string> collapsed = collapsed_routers(result);
  if (collapsed.empty())
    return "No router has collapsed: on the validation set every layer uses clearly more experts "
           "than a single token needs.";
  std::string text =
      collapsed.size() == 1 ? "A router has collapsed: " : "Routers have collapsed: ";
  for (std::size_t i = 0; i < std::min(kNamedRouters, collapsed.size()); ++i)
    text += (i > 0 ? "; " : "") + collapsed[i];
  if (collapsed.size() > kNamedRouters)
    text += "; and " + std::to_string(collapsed.size() - kNamedRouters) + " more";
  return text + ". Such a layer is little more than a small dense one.";
}

std::vector<std::pair<std::string, std::string>> expert_glossary(const ComparisonResult& result) {
  if (!has_experts(result)) return {};
  std::vector<std::pair<std::string, std::string>> words{
      {"Effective experts",
       "How many experts of equal load would be used as evenly as these are (the exponential of "
       "the load's entropy): all of them when each has the same share, 1 when one takes "
       "everything. Mean over layers and seeds, on the validation set."},
      {"Dead experts",
       "Experts that no token of the validation set was sent to, in all layers of "
       "a model; mean over seeds."},
      {"Dropped",
       "Choices that a full expert did not serve; where experts choose their tokens, "
       "tokens that none took."},
      {"Router entropy",
       "How undecided a router is about a token: 0 % when it is sure of one "
       "expert, 100 % when it has no preference."}};
  if (result.seeds.size() > 1)
    words.emplace_back("Agreement of seeds",
                       "How alike models of different seeds divide the same tokens among their "
                       "experts, whatever the experts are called (normalised mutual information of "
                       "the first choices): 100 % the same division, 0 % none in common. By "
                       "chance: what unrelated divisions of so few tokens would reach.");
  return words;
}

}  // namespace ffn::inline v0
