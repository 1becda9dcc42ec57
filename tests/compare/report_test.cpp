#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>
#include <set>

#include "compare/made_up_comparison.h"
#include "ffn/compare/comparison_report.h"
#include "ffn/compare/comparison_table.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/pareto_front.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"
#include "report/markup_check.h"

namespace ffn {
namespace {

constexpr const char* kHostile = "<script>&\"";

std::string html_of(const ComparisonResult& result) { return comparison_html({&result, 1}); }

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void expect_sound(const std::string& html) {
  EXPECT_EQ(markup_error(html, {"meta"}), "");
  EXPECT_FALSE(has_broken_number(html));
  for (const char* outside : {"http:", "https:", "src=", "href=", "<script", "@import", "url("})
    EXPECT_FALSE(contains(html, outside)) << outside;
}

// A pair whose numbers a reader can check.
PairResult pair_of_points(double difference, double low, double high, PairOutcome outcome,
                          PairBasis basis = PairBasis::seeds) {
  PairResult pair;
  pair.first = 0;
  pair.second = 1;
  pair.basis = basis;
  pair.difference = difference / 100;
  pair.interval = {low / 100, high / 100};
  pair.per_seed = {difference / 100 - 0.001, difference / 100 + 0.001};
  pair.outcome = outcome;
  return pair;
}

TEST(Report, IsSoundForEveryShape) {
  for (const std::size_t designs : {1U, 2U, 5U, 12U}) {
    for (const std::uint64_t seeds : {1U, 2U, 3U}) {
      SCOPED_TRACE(std::to_string(designs) + " designs, " + std::to_string(seeds) + " seeds");
      const ComparisonResult result = made_up_comparison(designs, seeds, designs == 5);
      const std::string html = html_of(result);
      expect_sound(html);
      EXPECT_EQ(html, html_of(result));
      for (const DesignResult& design : result.designs) {
        EXPECT_TRUE(contains(html, "<th scope=\"row\">" + design.label)) << design.label;
        EXPECT_TRUE(contains(comparison_markdown(result), design.label)) << design.label;
      }
      EXPECT_TRUE(contains(html, result.verdict.sentence.substr(0, 20)));
      EXPECT_TRUE(contains(html, "demo scale"));
    }
  }
}

TEST(Report, SurvivesMissingParts) {
  const ComparisonResult nothing;
  expect_sound(html_of(nothing));
  expect_sound(comparison_html({}));
  EXPECT_FALSE(comparison_markdown(nothing).empty());
  ComparisonResult bare = made_up_comparison(3, 3);
  for (DesignResult& design : bare.designs) {
    for (RunResult& run : design.runs) {
      run.losses.clear();
      run.validations.clear();
      run.training = run.inference = {};
    }
  }
  bare.designs[0].runs.clear();
  const std::string html = html_of(bare);
  expect_sound(html);
  EXPECT_EQ(occurrences(html, "No values were recorded."), 2U);
  EXPECT_FALSE(contains(html, "Accuracy against training time"));
  EXPECT_TRUE(contains(html, "Accuracy against parameters"));
}

TEST(Report, OneDesignIsNoComparison) {
  const std::string html = html_of(made_up_comparison(1, 3));
  for (const char* text : {"Pareto", "leading", "Which differences", "Accuracy against"})
    EXPECT_FALSE(contains(html, text)) << text;
}

TEST(Report, EqualCostsAreCalledEqual) {
  ComparisonResult result = made_up_comparison(3, 3);
  for (DesignResult& design : result.designs) design.parameters = 5000000;
  EXPECT_TRUE(contains(html_of(result), "All designs cost nearly the same here"));
}

TEST(Report, EscapesForeignText) {
  ComparisonResult result = made_up_comparison(3, 2, true);
  result.designs[0].label = result.designs[0].design = kHostile;
  result.title = result.model = result.data = result.recipe = result.budget = kHostile;
  result.question = result.claim = result.held_out = result.dtype = result.scale = kHostile;
  result.verdict.sentence = result.command = kHostile;
  result.environment = {{kHostile, kHostile}};
  const std::string html = html_of(result);
  expect_sound(html);
  EXPECT_FALSE(contains(html, kHostile));
  EXPECT_GE(occurrences(html, "&lt;script&gt;&amp;&quot;"), 20U);
  EXPECT_FALSE(contains(comparison_markdown(result), "<"));
  for (const auto& [name, svg] : comparison_plots(result)) {
    EXPECT_EQ(markup_error(svg), "") << name;
    EXPECT_FALSE(contains(svg, "<script")) << name;
  }
}

TEST(Report, FewSeedsShowValuesAndNoSeedError) {
  for (const std::uint64_t seeds : {1U, 2U}) {
    const ComparisonResult result = made_up_comparison(3, seeds);
    const std::string html = html_of(result);
    EXPECT_TRUE(contains(html, "these trained models only"));
    EXPECT_FALSE(contains(html, "95 % interval of the mean"));
    EXPECT_FALSE(contains(html, "±"));
  }
  ComparisonResult two = made_up_comparison(1, 2);
  two.designs[0].runs[0].test = {8600, 10000, 0.4};
  two.designs[0].runs[1].test = {8650, 10000, 0.4};
  EXPECT_TRUE(contains(html_of(two), "86.25 %<small>86.00 and 86.50 %</small>"));
  EXPECT_DOUBLE_EQ(shown_designs(two)[0].interval.low, 0.86);
  EXPECT_DOUBLE_EQ(shown_designs(two)[0].interval.high, 0.865);
  const std::string enough = html_of(made_up_comparison(3, 3));
  EXPECT_FALSE(contains(enough, "these trained models only"));
  EXPECT_TRUE(contains(enough, "95 % interval of the mean"));
}

// Mean 0.86, deviation 0.01, so ± 4.302653 · 0.01 / √3: Student's t for 2 degrees of freedom.
TEST(Report, ThreeSeedsHaveATInterval) {
  ComparisonResult three = made_up_comparison(1, 3);
  three.designs[0].runs[0].test = {8500, 10000, 0.4};
  three.designs[0].runs[1].test = {8600, 10000, 0.4};
  three.designs[0].runs[2].test = {8700, 10000, 0.4};
  const Interval interval = shown_designs(three)[0].interval;
  EXPECT_NEAR(interval.low, 0.86 - 0.0248414, 1e-6);
  EXPECT_NEAR(interval.high, 0.86 + 0.0248414, 1e-6);
}

TEST(Report, BestDesignComesFirstAndLeadersAreMarked) {
  const ComparisonResult result = made_up_comparison(5, 5);
  ASSERT_EQ(result.verdict.leaders, std::vector<std::size_t>{2});
  const std::string html = html_of(result);
  EXPECT_EQ(occurrences(html, "<tr class=\"marked\">"), 1U);
  EXPECT_TRUE(contains(html, "<tr class=\"marked\"><th scope=\"row\">dwconv(gelu) <span"));
  EXPECT_LT(html.find("<th scope=\"row\">dwconv(gelu)"), html.find("<th scope=\"row\">mlp(gelu)"));
}

TEST(Report, PartsOfAnExperimentShareOnePage) {
  ComparisonResult first = made_up_comparison(2, 3), second = made_up_comparison(3, 3);
  first.title = "With shuffled patches";
  second.title = "With whole pictures";
  const std::vector<ComparisonResult> parts{first, second};
  const std::string html = comparison_html(parts);
  expect_sound(html);
  EXPECT_EQ(occurrences(html, "<h1>"), 1U);
  EXPECT_EQ(occurrences(html, "<h2>"), 2U);
  EXPECT_EQ(occurrences(html, "<h3>Results</h3>"), 2U);
  EXPECT_TRUE(contains(html, "<h2>With shuffled patches</h2>"));
}

TEST(Report, PlotsStandAlone) {
  const auto plots = comparison_plots(made_up_comparison(12, 3));
  std::set<std::string> names;
  for (const auto& [name, svg] : plots) {
    names.insert(name);
    EXPECT_EQ(markup_error(svg), "") << name;
    EXPECT_FALSE(has_broken_number(svg)) << name;
    EXPECT_TRUE(contains(svg, "<style>") && contains(svg, "prefers-color-scheme")) << name;
    EXPECT_TRUE(contains(svg, "dwconv(gelu)")) << name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"accuracy", "accuracy_by_inference_memory",
                                          "accuracy_by_parameters", "accuracy_by_training_memory",
                                          "accuracy_by_training_time", "training_loss",
                                          "validation_accuracy"}));
}

TEST(PairReading, SaysWhoIsBetterByHowMuch) {
  ComparisonResult result = made_up_comparison(2, 3);
  using enum PairOutcome;
  EXPECT_EQ(pair_reading(result, pair_of_points(-2.1, -2.8, -1.4, second_better)),
            "swiglu better than mlp(gelu) by 2.10 points (1.40 to 2.80)");
  EXPECT_EQ(
      pair_reading(result, pair_of_points(2.1, 1.4, 2.8, first_better, PairBasis::examples)),
      "mlp(gelu) better than swiglu by 2.10 points (1.40 to 2.80); these trained models only");
  EXPECT_EQ(pair_reading(result, pair_of_points(-0.3, -0.8, 0.2, undecided)),
            "Undecided: swiglu is ahead of mlp(gelu) by 0.30 points, but anything from −0.20 to "
            "0.80 is possible");
  EXPECT_EQ(pair_reading(result, pair_of_points(0.3, 0.05, 0.55, undecided)),
            "Undecided: mlp(gelu) is ahead of swiglu by 0.30 points, but that is not sure enough "
            "for so many pairs (0.05 to 0.55)");
  result.margin = 0.005;
  EXPECT_EQ(pair_reading(result, pair_of_points(0.1, -0.2, 0.4, equivalent)),
            "mlp(gelu) and swiglu equally good within 0.50 points (difference −0.20 to 0.40)");
  EXPECT_EQ(pair_reading(result, pair_of_points(0, 0, 0, tie, PairBasis::same)),
            "mlp(gelu) and swiglu are the same design: a tie");
  EXPECT_EQ(per_seed_text(pair_of_points(0.3, 0, 0, undecided), Measure::accuracy, true),
            "−0.20, −0.40");
}

const Cell& cell(const Table& table, std::size_t row, std::string_view column) {
  const auto at = std::ranges::find(table.columns, column, &Column::name);
  EXPECT_NE(at, table.columns.end()) << column;
  return table.rows.at(row).at(static_cast<std::size_t>(at - table.columns.begin()));
}

TEST(ComparisonTable, HoldsMeansRangesAndPeaks) {
  ComparisonResult result = made_up_comparison(2, 3);
  auto& runs = result.designs[1].runs;
  runs[0].test = {8000, 10000, 0.4};
  runs[1].test = {9000, 10000, 0.4};
  runs[2].test = {8800, 10000, 0.4};
  for (RunResult& run : runs) run.train = {4750, 5000, 0.2};
  runs[1].training.ledger_peak_bytes = 999999999;
  runs[0].training.median_ms = 10;
  runs[1].training.median_ms = 40;
  runs[2].training.median_ms = 20;
  for (RunResult& run : runs) run.inference.items_per_s = 0;
  const Table table = comparison_table(result);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(cell(table, 1, "design").text, "swiglu");
  EXPECT_EQ(cell(table, 1, "feed_forward").text, "glu(silu, hidden=170)");
  EXPECT_DOUBLE_EQ(cell(table, 1, "test_accuracy").number, 0.86);
  EXPECT_DOUBLE_EQ(cell(table, 1, "test_accuracy_low").number, 0.80);
  EXPECT_DOUBLE_EQ(cell(table, 1, "test_accuracy_high").number, 0.90);
  EXPECT_NEAR(cell(table, 1, "train_test_gap").number, 0.09, 1e-12);
  EXPECT_EQ(cell(table, 1, "train_peak_bytes").whole, 999999999);
  EXPECT_DOUBLE_EQ(cell(table, 1, "step_ms").number, 20);
  EXPECT_EQ(cell(table, 1, "inference_images_per_s").kind, Cell::Kind::empty);
  for (const std::vector<Cell>& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(PairTable, HoldsPointsAndWords) {
  ComparisonResult result = made_up_comparison(2, 3);
  result.pairs = {pair_of_points(-2.1, -2.8, -1.4, PairOutcome::second_better),
                  pair_of_points(0, 0, 0, PairOutcome::tie, PairBasis::same)};
  const Table table = pair_table(result);
  EXPECT_EQ(cell(table, 0, "first").text, "mlp(gelu)");
  EXPECT_EQ(cell(table, 0, "second").text, "swiglu");
  EXPECT_DOUBLE_EQ(cell(table, 0, "difference_points").number, -2.1);
  EXPECT_DOUBLE_EQ(cell(table, 0, "interval_low_points").number, -2.8);
  EXPECT_EQ(cell(table, 0, "outcome").text, "second better");
  EXPECT_EQ(cell(table, 0, "per_seed_points").text, "−2.20, −2.00");
  EXPECT_EQ(cell(table, 1, "p").kind, Cell::Kind::empty);
  EXPECT_EQ(cell(table, 1, "basis").text, "the same runs");
}

// Words that only pictures, or only text, may have.
TEST(ReportOfText, SpeaksOfBytesAndDocumentsOnly) {
  for (const std::uint64_t seeds : {1U, 2U, 3U}) {
    const ComparisonResult text = made_up_text_comparison(5, seeds, true);
    const std::string html = html_of(text), markdown = comparison_markdown(text);
    expect_sound(html);
    for (const char* word : {"icture", "ccura", "points", "28 ×"}) {
      EXPECT_FALSE(contains(html, word)) << word;
      EXPECT_FALSE(contains(markdown, word)) << word;
    }
    for (const char* word :
         {"bits per byte", "Bits per byte", "test documents", "Further left", "Standard error"})
      EXPECT_TRUE(contains(html, word)) << word;
    const std::string images = html_of(made_up_comparison(5, seeds, true));
    for (const char* word : {"bits per", "Bits per", "document", "Standard error"})
      EXPECT_FALSE(contains(images, word)) << word;
  }
}

TEST(ReportOfText, TheFewestBitsLead) {
  const ComparisonResult result = made_up_text_comparison(5, 5);
  ASSERT_EQ(result.verdict.leaders, std::vector<std::size_t>{2});
  const std::string html = html_of(result);
  EXPECT_TRUE(contains(html, "<tr class=\"marked\"><th scope=\"row\">dwconv(gelu) <span"));
  EXPECT_LT(html.find("<th scope=\"row\">dwconv(gelu)"), html.find("<th scope=\"row\">mlp(gelu)"));
  const auto ranked = ranked_designs(result);
  for (std::size_t i = 1; i < ranked.size(); ++i)
    EXPECT_LE(ranked[i - 1].test_mean, ranked[i].test_mean);
  EXPECT_NEAR(ranked[0].gap, 0.05, 1e-9) << "training needs fewer bits than the test";
  EXPECT_GT(ranked[0].example_error, 0);
}

// A costs more and needs fewer bits than B; C is beaten by B in both.
TEST(ReportOfText, TheParetoFrontGoesDown) {
  ComparisonResult result = made_up_text_comparison(3, 3);
  const double bits[] = {1.8, 1.9, 2.0};
  const std::int64_t parameters[] = {300, 100, 200};
  for (std::size_t d = 0; d < 3; ++d) {
    result.designs[d].parameters = parameters[d];
    for (RunResult& run : result.designs[d].runs) run.test.loss = bits[d] * std::numbers::ln2;
  }
  EXPECT_TRUE(contains(html_of(result),
                       "On the Pareto front: swiglu and mlp(gelu). Each other design "
                       "is beaten by one of these, which needs no more bits per "
                       "byte and has no more parameters."));
}

TEST(ReportOfText, PlotsAreNamedByTheMeasure) {
  std::set<std::string> names;
  for (const auto& [name, svg] : comparison_plots(made_up_text_comparison(12, 3))) {
    names.insert(name);
    EXPECT_EQ(markup_error(svg), "") << name;
  }
  EXPECT_EQ(names,
            (std::set<std::string>{
                "bits_per_byte", "bits_per_byte_by_inference_memory", "bits_per_byte_by_parameters",
                "bits_per_byte_by_training_memory", "bits_per_byte_by_training_time",
                "training_loss", "validation_bits_per_byte"}));
}

TEST(ReportOfText, ReadingsFavourFewerBits) {
  ComparisonResult result = made_up_text_comparison(2, 3);
  using enum PairOutcome;
  // pair_of_points() divides by 100.
  EXPECT_EQ(pair_reading(result, pair_of_points(2.1, 1.4, 2.8, second_better)),
            "swiglu better than mlp(gelu) by 0.0210 bits per byte (0.0140 to 0.0280)");
  EXPECT_EQ(pair_reading(result, pair_of_points(-2.1, -2.8, -1.4, first_better)),
            "mlp(gelu) better than swiglu by 0.0210 bits per byte (0.0140 to 0.0280)");
  EXPECT_EQ(pair_reading(result, pair_of_points(-0.3, -0.8, 0.2, undecided)),
            "Undecided: mlp(gelu) is ahead of swiglu by 0.0030 bits per byte, but anything from "
            "−0.0020 to 0.0080 is possible");
  result.margin = 0.005;
  EXPECT_EQ(pair_reading(result, pair_of_points(0.1, -0.2, 0.4, equivalent)),
            "mlp(gelu) and swiglu equally good within 0.0050 bits per byte (difference −0.0020 to "
            "0.0040)");
}

TEST(ReportOfText, TablesHaveItsColumns) {
  ComparisonResult result = made_up_text_comparison(2, 3);
  const double bits[] = {1.7, 1.9, 1.8};
  for (std::size_t s = 0; s < 3; ++s) {
    result.designs[1].runs[s].test.loss = bits[s] * std::numbers::ln2;
    result.designs[1].runs[s].test.standard_error = 0.02;
  }
  const Table table = comparison_table(result);
  EXPECT_NEAR(cell(table, 1, "test_bits_per_byte").number, 1.8, 1e-12);
  EXPECT_NEAR(cell(table, 1, "test_bits_per_byte_low").number, 1.7, 1e-12);
  EXPECT_NEAR(cell(table, 1, "test_bits_per_byte_high").number, 1.9, 1e-12);
  EXPECT_NEAR(cell(table, 1, "test_standard_error").number, 0.02, 1e-12);
  EXPECT_GT(cell(table, 1, "validation_bits_per_byte").number, 1);
  EXPECT_GT(cell(table, 1, "bytes_per_s").number, 1);
  EXPECT_EQ(table.rows[0].size(), table.columns.size());
  EXPECT_TRUE(contains(comparison_markdown(result), "1.8000 (1.7000 to 1.9000)"));
  EXPECT_TRUE(contains(comparison_markdown(result), "0.0200"));
  result.pairs = {pair_of_points(2.1, 1.4, 2.8, PairOutcome::second_better)};
  EXPECT_DOUBLE_EQ(cell(pair_table(result), 0, "difference_bits_per_byte").number, 0.021);
  EXPECT_EQ(cell(pair_table(result), 0, "per_seed_bits_per_byte").text, "+0.0200, +0.0220");
}

TEST(ParetoFront, KeepsWhatNothingBeats) {
  const std::vector<CostAndValue> points{{3, 0.9}, {1, 0.5}, {2, 0.5}, {2, 0.7},
                                         {4, 0.9}, {2, 0.7}, {2, 0.6}};
  EXPECT_EQ(pareto_front(points), (std::vector<std::size_t>{1, 3, 5, 0}));
  EXPECT_TRUE(pareto_front({}).empty());
}

TEST(ReportWords, NumbersReadWell) {
  using enum Measure;
  EXPECT_EQ(signed_difference_text(0.021, accuracy), "+2.10");
  EXPECT_EQ(signed_difference_text(-0.000001, accuracy), "0.00");
  EXPECT_EQ(difference_text(-0.0035, accuracy), "−0.35");
  EXPECT_EQ(quality_text(0.913, accuracy), "91.30 %");
  EXPECT_EQ(signed_difference_text(0.021, bits_per_byte), "+0.0210");
  EXPECT_EQ(signed_difference_text(-0.00001, bits_per_byte), "0.0000");
  EXPECT_EQ(difference_text(-0.0035, bits_per_byte), "−0.0035");
  EXPECT_EQ(quality_text(1.93421, bits_per_byte), "1.9342");
  EXPECT_EQ(p_text(0.0004), "< 0.001");
  EXPECT_EQ(p_text(0.0312), "0.031");
  EXPECT_EQ(number_text(1234.5), "1,235");
  EXPECT_EQ(number_text(96.17), "96.2");
  EXPECT_EQ(number_text(0.012345), "0.0123");
  EXPECT_EQ(seeds_text({7}), "1 seed (7)");
  EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
}

}  // namespace
}  // namespace ffn
