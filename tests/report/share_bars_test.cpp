#include "ffn/report/share_bars.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <vector>

#include "ffn/report/plot_frame.h"
#include "report/markup_check.h"

namespace ffn {
namespace {

ShareBars bars_of(std::vector<ShareBar> bars) {
  ShareBars plot;
  plot.title = "Who takes how much";
  plot.x = {"share", NumberStyle::percent};
  plot.groups = {{"group <&>", std::move(bars), 1}};
  return plot;
}

// Left edges and widths of the pieces, from the top down.
std::vector<std::pair<double, double>> pieces_of(const std::string& svg) {
  const std::regex rect(
      R"re(<rect x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)" height="[0-9.]+" fill)re");
  std::vector<std::pair<double, double>> pieces;
  for (std::sregex_iterator it(svg.begin(), svg.end(), rect), end; it != end; ++it)
    pieces.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  return pieces;
}

TEST(ShareBars, PiecesAreAsLongAsTheirShares) {
  const std::string svg = svg_share_bars(
      bars_of({{"whole", "1", {1}}, {"parts", "4", {0.5, 0.25, 0.25}}}), SvgStyle::file);
  EXPECT_EQ(markup_error(svg), "");
  EXPECT_FALSE(has_broken_number(svg));
  const auto pieces = pieces_of(svg);
  ASSERT_EQ(pieces.size(), 4u);
  constexpr double kGap = 1.5, kRounding = 0.11;
  const double whole = pieces[0].second + kGap, left = pieces[0].first;
  EXPECT_GT(whole, 0.6 * kPlotWidth);
  EXPECT_NEAR(pieces[1].second + kGap, whole / 2, kRounding);
  EXPECT_NEAR(pieces[2].first, left + whole / 2, kRounding);
  EXPECT_NEAR(pieces[3].first, left + 0.75 * whole, kRounding);
  for (const char* text : {">whole</text>", ">4</text>", "group &lt;&amp;&gt;</text>", ">100 %<"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
}

TEST(ShareBars, WhatIsNoShareIsLeftOut) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = svg_share_bars(
      bars_of({{"odd", "", {kNan, 0, -1, 0.5, 1e-9}}, {"too much", "", {0.75, 0.75, 0.75}}}),
      SvgStyle::in_page);
  EXPECT_EQ(markup_error(svg), "");
  EXPECT_FALSE(has_broken_number(svg));
  const auto pieces = pieces_of(svg);
  ASSERT_EQ(pieces.size(), 3u);
  for (const auto& [left, width] : pieces) EXPECT_LE(left + width, kPlotWidth);
  EXPECT_EQ(markup_error(svg_share_bars({}, SvgStyle::file)), "");
}

// Hundreds of pieces stay apart.
TEST(ShareBars, ManyPiecesAreAllDrawn) {
  const std::vector<double> shares(256, 1.0 / 256);
  const auto pieces = pieces_of(svg_share_bars(bars_of({{"many", "256", shares}}), SvgStyle::file));
  ASSERT_EQ(pieces.size(), 256u);
  for (std::size_t i = 1; i < pieces.size(); ++i)
    EXPECT_GE(pieces[i].first, pieces[i - 1].first + pieces[i - 1].second - 0.1);
}

}  // namespace
}  // namespace ffn
