#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compare/made_up_experts.h"
#include "ffn/compare/comparison_report.h"
#include "ffn/compare/comparison_table.h"
#include "ffn/compare/design_experts.h"
#include "ffn/compare/expert_panel.h"
#include "report/markup_check.h"

namespace ffn {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string html_of(const ComparisonResult& result) { return comparison_html({&result, 1}); }

const Cell& cell(const Table& table, std::size_t row, std::string_view column) {
  const auto at = std::ranges::find(table.columns, column, &Column::name);
  EXPECT_NE(at, table.columns.end()) << column;
  return table.rows.at(row).at(static_cast<std::size_t>(at - table.columns.begin()));
}

// Two layers and two seeds by hand: 1 and 4 experts in effect, then 4 and 4.
TEST(DesignExperts, AreMeansOverLayersAndSeeds) {
  ComparisonResult result = made_up_comparison(1, 2);
  DesignResult& design = result.designs[0];
  for (RunResult& run : design.runs) run.experts = made_up_routers(run.seed, 4, 1);
  design.runs[0].experts[0].health = health_of_shares({0, 1, 0, 0});
  const auto experts = design_experts(design);
  ASSERT_TRUE(experts.has_value());
  EXPECT_EQ(experts->experts, 4);
  EXPECT_NEAR(experts->health.effective_experts, (1 + 4 + 4 + 4) / 4.0, 1e-12);
  EXPECT_EQ(experts->health.dead_experts, 1.5);
  EXPECT_NEAR(experts->health.dropped_share, 0.125 / 4, 1e-12);
  EXPECT_NEAR(experts->health.router_entropy, 0.5 * 3 / 4, 1e-12);
  EXPECT_FALSE(design_experts(made_up_comparison(1, 2).designs[0]).has_value());
}

TEST(DesignExperts, AgreementIsOverPairsOfSeedsAndLayers) {
  ComparisonResult result = made_up_comparison(1, 3);
  DesignResult& design = result.designs[0];
  for (RunResult& run : design.runs) {
    run.experts = made_up_routers(run.seed, 4, 1, 1000);
    for (std::size_t token = 0; token < 256; ++token)  // seed 3 has its own mind in layer 1
      if (run.seed == 3) run.experts[1].first_choices[token] = static_cast<int>(token / 4 % 4);
  }
  const auto experts = design_experts(design);
  EXPECT_EQ(experts->agreeing, 6u);
  // Layer 0: 1, 1, 1 (renamed). Layer 1: 1, 0, 0.
  EXPECT_NEAR(experts->agreement.agreement, 4.0 / 6, 0.01);
  EXPECT_GT(experts->agreement.by_chance, 0);
  design.runs.resize(1);
  EXPECT_EQ(design_experts(design)->agreeing, 0u);
}

// Experts of two seeds have no order in common: the busiest are compared with the busiest.
TEST(DesignExperts, SharesAreSortedBeforeTheirMean) {
  ComparisonResult result = made_up_comparison(1, 2);
  DesignResult& design = result.designs[0];
  design.runs[0].experts = {{{0, ""}, 1, health_of_shares({0.75, 0.25, 0}), {}}};
  design.runs[1].experts = {{{0, ""}, 1, health_of_shares({0.125, 0.375, 0.5}), {}}};
  const std::vector<RouterShares> found = router_shares(design);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].shares, (std::vector<double>{0.625, 0.3125, 0.0625}));
}

TEST(ExpertReport, TablesHaveColumnsOnlyWithExperts) {
  const Table dense = comparison_table(made_up_comparison(3, 3));
  for (const Column& column : dense.columns) EXPECT_FALSE(contains(column.name, "expert"));
  const ComparisonResult result = made_up_expert_comparison(4, 3);
  const Table table = comparison_table(result);
  for (const std::vector<Cell>& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
  const DesignExperts expected = *design_experts(result.designs[2]);
  EXPECT_EQ(cell(table, 2, "effective_experts").number, expected.health.effective_experts);
  EXPECT_EQ(cell(table, 2, "dead_experts").number, 0);
  EXPECT_EQ(cell(table, 2, "dropped_share").number, expected.health.dropped_share);
  EXPECT_EQ(cell(table, 2, "router_entropy").number, 0.5);
  EXPECT_EQ(cell(table, 2, "seed_agreement").number, expected.agreement.agreement);
  EXPECT_EQ(cell(table, 0, "effective_experts").kind, Cell::Kind::empty);
  const Table one_seed = comparison_table(made_up_expert_comparison(3, 1));
  EXPECT_EQ(cell(one_seed, 2, "seed_agreement").kind, Cell::Kind::empty);
  EXPECT_NE(cell(one_seed, 2, "effective_experts").kind, Cell::Kind::empty);
}

TEST(ExpertReport, PagesHaveAPanelOnlyWithExperts) {
  for (const std::uint64_t seeds : {1U, 2U, 3U}) {
    for (const std::size_t designs : {3U, 4U}) {
      const ComparisonResult result = made_up_expert_comparison(designs, seeds);
      const std::string html = html_of(result), markdown = comparison_markdown(result);
      EXPECT_EQ(markup_error(html, {"meta"}), "");
      EXPECT_FALSE(has_broken_number(html));
      EXPECT_TRUE(contains(html, "<h2>Expert health</h2>"));
      EXPECT_TRUE(contains(html, "Effective experts"));
      EXPECT_EQ(contains(html, "Agreement of seeds</dt>"), seeds > 1);
      EXPECT_TRUE(contains(markdown, "Effective experts"));
    }
    const ComparisonResult dense = made_up_comparison(4, seeds);
    for (const char* word : {"Expert", "xperts", "router"}) {
      EXPECT_FALSE(contains(html_of(dense), word)) << word;
      EXPECT_FALSE(contains(comparison_markdown(dense), word)) << word;
    }
  }
}

TEST(ExpertReport, NamesACollapsedRouter) {
  const ComparisonResult healthy = made_up_expert_comparison(3, 2);
  EXPECT_TRUE(contains(expert_text(healthy), "No router has collapsed"));
  const ComparisonResult result = made_up_expert_comparison(4, 2);
  const std::string text = expert_text(result);
  EXPECT_TRUE(contains(
      text, "Routers have collapsed: " + result.designs[3].label +
                ", seed 1, layer 0: its router sends 99 % of the slots to 2 of 8 experts; "))
      << text;
  EXPECT_TRUE(contains(text, "; and 1 more. "));
  EXPECT_TRUE(contains(html_of(result), "Routers have collapsed"));
  EXPECT_TRUE(contains(comparison_markdown(result), "Routers have collapsed"));
  EXPECT_EQ(expert_text(made_up_comparison(2, 2)), "");
}

TEST(ExpertReport, TheFigureShowsEveryLayer) {
  const ComparisonResult result = made_up_expert_comparison(4, 2);
  std::string figure;
  for (const auto& [name, svg] : comparison_plots(result))
    if (name == "expert_load") figure = svg;
  ASSERT_FALSE(figure.empty());
  EXPECT_EQ(markup_error(figure), "");
  EXPECT_FALSE(has_broken_number(figure));
  EXPECT_EQ(occurrences(figure, ">layer 0</text>"), 2U);
  EXPECT_EQ(occurrences(figure, ">layer 1</text>"), 2U);
  EXPECT_TRUE(contains(figure, " of 4</text>") && contains(figure, " of 8</text>"));
  EXPECT_TRUE(contains(figure, result.designs[3].label.substr(0, 10)));
  for (const auto& [name, svg] : comparison_plots(made_up_comparison(4, 2)))
    EXPECT_NE(name, "expert_load");
}

TEST(ExpertReport, EscapesForeignText) {
  ComparisonResult result = made_up_expert_comparison(4, 2);
  result.designs[3].label = "<script>&\"";
  result.designs[3].runs[0].experts[0].place.part = "<script>&\"";
  const std::string html = html_of(result);
  EXPECT_EQ(markup_error(html, {"meta"}), "");
  EXPECT_FALSE(contains(html, "<script>"));
  EXPECT_FALSE(contains(comparison_markdown(result), "<"));
}

}  // namespace
}  // namespace ffn
