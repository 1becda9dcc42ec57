#include "ffn/compare/report_texts.h"

#include <algorithm>
#include <cstdint>

#include "ffn/base/error.h"
#include "ffn/compare/expert_panel.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"
#include "ffn/feedforward/registry.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

bool any_basis(const ComparisonResult& result, PairBasis basis) {
  return std::ranges::any_of(result.pairs,
                             [basis](const PairResult& pair) { return pair.basis == basis; });
}

// " (fastest: mlp(gelu), 180 ms)", or that the design is itself the cheapest.
template <class Value, class Text>
std::string beside_least(const std::vector<ShownDesign>& designs, const ShownDesign& best,
                         Value ShownDesign::* value, const char* least_name, const Text& text) {
  const ShownDesign* least = &best;
  for (const ShownDesign& other : designs)
    if (other.*value > 0 && other.*value < least->*value) least = &other;
  if (designs.size() < 2) return "";
  if (text(least->*value) == text(best.*value)) return std::string(" (") + least_name + " of all)";
  return std::string(" (") + least_name + ": " + least->label + ", " + text(least->*value) + ")";
}

// "gated: act(gate) times up, then down (Shazeer 2020)"; empty for a design that is not a standard
// one.
std::string summary_of(const std::string& design) {
  try {
    const DesignEntry& entry = standard_designs().at(parse_spec(design).design);
    return std::string(entry.summary) + " (" + std::string(entry.source) + ")";
  } catch (const Error&) {
    return "";
  }
}

std::string learning_rate_text(const ComparisonResult& result) {
  const bool chosen = std::ranges::any_of(
      result.designs, [](const DesignResult& design) { return !design.learning_rates.empty(); });
  if (chosen) {
    std::string text = "chosen for each design from the same candidates by validation " +
                       words_of(result.measure).name;
    if (result.grid_flops > 0)
      text += "; choosing took " + to_text(result.grid_flops, NumberStyle::flops) + " of training";
    return text;
  }
  if (result.designs.empty() || result.designs[0].learning_rate == 0) return "";
  const double rate = result.designs[0].learning_rate;
  const bool same = std::ranges::all_of(
      result.designs, [rate](const DesignResult& design) { return design.learning_rate == rate; });
  return same ? to_text(rate, NumberStyle::plain) + " for every design"
              : "set for each design, see the costs";
}

// What the tests over seeds or examples need.
void add_test_words(const ComparisonResult& result, Pairs& words) {
  if (any_basis(result, PairBasis::seeds))
    words.emplace_back("95 % interval",
                       "The true difference, over all seeds one could draw, lies "
                       "in it in 95 of 100 such experiments.");
  if (any_basis(result, PairBasis::examples))
    words.emplace_back("These trained models only",
                       "The interval and p come from drawing test " +
                           plural(words_of(result.measure).example) +
                           " anew (paired bootstrap): they say how sure the difference between "
                           "these very models is, "
                           "not how another training would turn out.");
  if (any_basis(result, PairBasis::seeds) || any_basis(result, PairBasis::examples)) {
    words.emplace_back("p",
                       "How often a difference as large as this would appear by chance if "
                       "both were equally good. Small means: hardly chance.");
    words.emplace_back("Holm",
                       "With many pairs some p is small by luck. Holm's correction raises "
                       "each p for the number of pairs; “better” needs 0.05 or less "
                       "after it.");
    words.emplace_back("Undecided",
                       "The runs do not tell which is better. It does not mean that "
                       "both are equal: more seeds may decide it.");
  }
  if (result.margin > 0)
    words.emplace_back("Equally good", "The difference is shown to lie within ±" +
                                           difference_text(result.margin, result.measure) + " " +
                                           words_of(result.measure).unit +
                                           ", the margin stated beforehand.");
}

}  // namespace

std::string scale_text(const std::string& scale) {
  if (scale.find("demo") != std::string::npos)
    return "So small a run only shows that the method works. The order of the designs may change "
           "with a larger model, more data or longer training.";
  return "The order of the designs may still change with a larger model, more data or longer "
         "training.";
}

std::string cost_text(const ComparisonResult& result) {
  const std::vector<ShownDesign> designs = shown_designs(result);
  if (designs.empty()) return "";
  const std::size_t at = result.verdict.leaders.empty() ? ranked_designs(result).front().index
                                                        : result.verdict.leaders.front();
  const ShownDesign& best = designs.at(at);
  if (!best.has_runs()) return "";
  const auto ms = [](double value) { return number_text(value) + " ms"; };
  const auto bytes = [](std::int64_t value) { return bytes_text(value); };
  std::vector<std::string> costs;
  if (best.step_ms > 0)
    costs.push_back(ms(best.step_ms) + " per training step" +
                    beside_least(designs, best, &ShownDesign::step_ms, "fastest", ms));
  if (best.train_peak_bytes > 0)
    costs.push_back(bytes(best.train_peak_bytes) + " of memory to train" +
                    beside_least(designs, best, &ShownDesign::train_peak_bytes, "least", bytes));
  if (best.inference_peak_bytes > 0)
    costs.push_back(
        bytes(best.inference_peak_bytes) + " to use" +
        beside_least(designs, best, &ShownDesign::inference_peak_bytes, "least", bytes));
  if (costs.empty()) return "";
  return "Cost of " + best.label + ": " + listed(costs) + ".";
}

std::string certainty_text(const ComparisonResult& result) {
  if (result.designs.size() < 2) return "There is one design only, so nothing was tested.";
  if (any_basis(result, PairBasis::examples))
    return std::string("How sure: ") +
           (result.seeds.size() == 1 ? "each design was trained once"
                                     : "each design was trained twice") +
           ", so the tests speak of these trained models only. Trained again with other seeds, the "
           "designs may come out in another order; use three seeds or more to decide.";
  if (any_basis(result, PairBasis::seeds))
    return "How sure: each design was trained " + std::to_string(result.seeds.size()) +
           " times with different random seeds. “Better” is said so carefully that, over all "
           "pairs together, the chance of even one false “better” is at most 5 %.";
  return "";
}

Pairs design_pairs(const ComparisonResult& result) {
  Pairs pairs;
  for (std::size_t i = 0; i < result.designs.size(); ++i) {
    const DesignResult& design = result.designs[i];
    const std::string label = label_of(result, i), about = summary_of(design.design);
    std::string text = design.design == label ? "" : design.design;
    if (!text.empty() && !about.empty()) text += ": ";
    text += about;
    if (!text.empty()) pairs.emplace_back(label, text);
  }
  return pairs;
}

Pairs setting_pairs(const ComparisonResult& result) {
  const MeasureWords& words = words_of(result.measure);
  Pairs pairs;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) pairs.emplace_back(name, text);
  };
  add("Model", result.model);
  add("Data", result.data);
  add("Held out", result.held_out);
  add("Recipe", result.recipe);
  if (result.recipe.empty() && result.total_steps > 0 && result.batch > 0)
    add("Length", to_text(result.total_steps, NumberStyle::count) + " steps of " +
                      to_text(result.batch, NumberStyle::count) + " " + plural(words.batch_row));
  add("Learning rate", learning_rate_text(result));
  add("Budget", result.budget);
  if (!result.seeds.empty()) add("Random seeds", seeds_text(result.seeds));
  add("Number format", result.dtype);
  if (result.threads > 0) add("Threads", std::to_string(result.threads));
  if (result.margin > 0)
    add("Equal means", "within " + difference_text(result.margin, result.measure) + " " +
                           words.margin + ", a margin set before the runs");
  return pairs;
}

Pairs glossary(const ComparisonResult& result) {
  const MeasureWords& says = words_of(result.measure);
  Pairs words{{"Feed-forward design",
               "The part of each Transformer block that works on every token alone; "
               "only this part differs between the models compared here."},
              {"Test " + says.name, says.meaning},
              {says.gap, "How much better the model is on " + plural(says.example) +
                             " it learnt from, in " + says.unit +
                             ". A large value means that it learnt them by heart."},
              {"Seed", "The start of the random numbers. Designs with the same seed see the same " +
                           plural(says.batch_row) +
                           " in the same order, so they are compared seed by seed."},
              {"Work per token",
               "Floating-point operations (FLOP) of all feed-forward layers for one "
               "token, forward."},
              {"Peak memory",
               "The most memory held at once by weights, activations, gradients and "
               "scratch. The whole process adds the program and the data set."}};
  if (says.shows_example_error)
    words.emplace_back("Standard error over " + plural(says.example),
                       "How far a design's " + says.name + " would move with other test " +
                           plural(says.example) +
                           ". Differences between designs are surer than that, because all are "
                           "scored on the same ones.");
  for (std::pair<std::string, std::string>& word : expert_glossary(result))
    words.push_back(std::move(word));
  add_test_words(result, words);
  if (result.designs.size() > 1)
    words.emplace_back("Pareto front", "The designs that no other beats in " + says.name +
                                           " and cost at once. Choose among these.");
  return words;
}

}  // namespace ffn::inline v0
