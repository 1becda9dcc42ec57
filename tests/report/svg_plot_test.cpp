#include "ffn/report/svg_plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <set>

#include "ffn/report/dot_plot.h"
#include "ffn/report/svg_writer.h"
#include "report/markup_check.h"

namespace ffn {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Plot curves(std::size_t count) {
  Plot plot{.title = "Loss & more",
            .description = "d <b>",
            .x = {"step", NumberStyle::count},
            .y = {"loss"}};
  for (std::size_t i = 0; i < count; ++i) {
    PlotSeries series{.name = "design " + std::to_string(i), .line = PlotLine::straight, .look = i};
    for (int step = 0; step <= 100; ++step)
      series.points.push_back(
          {static_cast<double>(step), std::exp(-step / 30.0) + 0.01 * static_cast<double>(i)});
    plot.series.push_back(series);
  }
  return plot;
}

Plot scatter(std::size_t count, double spread) {
  Plot plot{.title = "Cost",
            .x = {"bytes", NumberStyle::bytes},
            .y = {"accuracy", NumberStyle::percent},
            .key = PlotKey::labels};
  for (std::size_t i = 0; i < count; ++i) {
    const double at = static_cast<double>(i) * spread;
    const double y = 0.8 + 0.01 * at;
    plot.series.push_back(
        {.name = "glu(silu, hidden=" + std::to_string(i) + ")",
         .points = {{1e7 * (1 + at), y, 1e7 * (1 + at), 1e7 * (1 + at), y - 0.002, y + 0.002}},
         .look = i});
  }
  return plot;
}

// All x and y positions of marks, lines and text.
void expect_inside(const std::string& svg) {
  std::smatch box;
  ASSERT_TRUE(std::regex_search(svg, box, std::regex("viewBox=\"0 0 ([0-9.]+) ([0-9.]+)\"")));
  const double width = std::stod(box[1]), height = std::stod(box[2]);
  const std::regex position("\\b(c?[xy][12]?)=\"(-?[0-9.]+)\"");
  std::size_t found = 0;
  for (std::sregex_iterator at(svg.begin(), svg.end(), position), end; at != end; ++at, ++found) {
    const double value = std::stod((*at)[2]);
    EXPECT_GE(value, 0) << (*at)[0];
    EXPECT_LE(value, (*at)[1].str().find('x') != std::string::npos ? width : height) << (*at)[0];
  }
  EXPECT_GT(found, 10U);
}

TEST(SvgPlot, IsWellFormedAndDeterministic) {
  for (const SvgStyle style : {SvgStyle::in_page, SvgStyle::file}) {
    for (const Plot& plot : {curves(1), curves(12), scatter(1, 1), scatter(6, 1), scatter(12, 0)}) {
      const std::string svg = svg_plot(plot, style);
      EXPECT_EQ(markup_error(svg), "");
      EXPECT_FALSE(has_broken_number(svg));
      EXPECT_EQ(svg, svg_plot(plot, style));
      expect_inside(svg);
    }
  }
}

TEST(SvgPlot, TellsItsTitleToThoseWhoCannotSeeIt) {
  const std::string svg = svg_plot(curves(2), SvgStyle::in_page);
  EXPECT_TRUE(svg.starts_with("<svg role=\"img\" viewBox=\"0 0 480 "));
  EXPECT_NE(svg.find("<title>Loss &amp; more</title>"), std::string::npos);
  EXPECT_NE(svg.find("<desc>d &lt;b&gt;</desc>"), std::string::npos);
}

TEST(SvgPlot, AFileStandsAlone) {
  const std::string page = svg_plot(curves(2), SvgStyle::in_page);
  EXPECT_EQ(page.find("<style>"), std::string::npos);
  EXPECT_EQ(page.find("xmlns"), std::string::npos);
  const std::string file = svg_plot(curves(2), SvgStyle::file);
  EXPECT_NE(file.find("xmlns=\"http://www.w3.org/2000/svg\""), std::string::npos);
  EXPECT_NE(file.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_EQ(file.find("var(--"), std::string::npos);
}

TEST(SvgPlot, TwelveSeriesLookDifferent) {
  std::set<std::string> looks;
  for (std::size_t i = 0; i < kPlotLooks; ++i) looks.insert(marker_svg(i, 0, 0, 5));
  EXPECT_EQ(looks.size(), kPlotLooks);
  for (std::size_t i = 0; i < kPlotLooks; ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_TRUE(colour_class(i) != colour_class(j) || is_hollow(i) != is_hollow(j));
}

TEST(SvgPlot, NamesEverySeriesOnce) {
  const std::string legend = svg_plot(curves(12), SvgStyle::in_page);
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(occurrences(legend, ">design " + std::to_string(i) + "</text>"), 1U);
  // Beside the points where there is room, in a legend where they all coincide.
  for (const std::size_t count : {std::size_t{6}, kPlotLooks}) {
    const bool room = count == 6;
    const std::string svg = svg_plot(scatter(count, room ? 1 : 0), SvgStyle::in_page);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(occurrences(svg, ">glu(silu, hidden=" + std::to_string(i) + ")</text>"), 1U);
    EXPECT_EQ(occurrences(svg, "p-halo"), room ? count : 0);
  }
}

TEST(SvgPlot, LeavesOutWhatIsNoNumber) {
  Plot plot = curves(1);
  const std::string clean = svg_plot(plot, SvgStyle::in_page);
  plot.series[0].points.push_back({kNan, 1});
  plot.series[0].points.push_back({1, kInfinity});
  EXPECT_EQ(svg_plot(plot, SvgStyle::in_page), clean);
  plot = scatter(3, 1);
  plot.x.logarithmic = true;
  plot.series[1].points[0].x = 0;
  plot.series[2].points[0].y_high = kNan;
  const std::string svg = svg_plot(plot, SvgStyle::in_page);
  EXPECT_FALSE(has_broken_number(svg));
  EXPECT_EQ(svg.find("hidden=1)"), std::string::npos);
  EXPECT_NE(svg.find("hidden=2)"), std::string::npos);
}

TEST(SvgPlot, SaysWhenThereIsNothing) {
  Plot plot = curves(2);
  for (PlotSeries& series : plot.series) series.points.clear();
  const std::string svg = svg_plot(plot, SvgStyle::file);
  EXPECT_NE(svg.find("No values were recorded."), std::string::npos);
  EXPECT_EQ(markup_error(svg), "");
  plot.series.clear();
  EXPECT_EQ(svg_plot(plot, SvgStyle::file), svg);
}

TEST(SvgPlot, AStaircaseReachesTheEdges) {
  Plot plot = scatter(2, 1);
  plot.series.push_back({.name = "front",
                         .points = {{1e7, 0.8}, {2e7, 0.81}},
                         .line = PlotLine::staircase,
                         .markers = false,
                         .neutral = true});
  const std::string svg = svg_plot(plot, SvgStyle::in_page);
  std::smatch path;
  const std::regex staircase(
      "d=\"M([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)L([0-9.]+) ([0-9.]+)L"
      "([0-9.]+) ([0-9.]+)\"");
  ASSERT_TRUE(std::regex_search(svg, path, staircase));
  EXPECT_EQ(path[1], path[3]);   // up to the first point
  EXPECT_EQ(path[4], path[6]);   // right to below the second
  EXPECT_EQ(path[5], path[7]);   // up to it
  EXPECT_EQ(path[8], path[10]);  // right to the edge
  EXPECT_EQ(path[9], "462");
  EXPECT_LT(std::stod(path[8]), std::stod(path[4]));
  const double bottom = std::stod(path[2]);
  EXPECT_GT(bottom, std::stod(path[4]));

  plot.series.back().points = {{1e7, 0.81}, {2e7, 0.8}};
  plot.series.back().line = PlotLine::staircase_down;
  const std::string other = svg_plot(plot, SvgStyle::in_page);
  std::smatch down;
  ASSERT_TRUE(std::regex_search(other, down, staircase));
  EXPECT_EQ(down[1], down[3]);  // down to the first point
  EXPECT_LT(std::stod(down[2]), std::stod(down[4]));
  EXPECT_EQ(down[4], down[6]);
  EXPECT_EQ(down[5], down[7]);  // down to the second
  EXPECT_GT(std::stod(down[8]), std::stod(down[4]));
  EXPECT_EQ(down[9], "462");
}

DotPlot dots(std::vector<double> values) {
  DotPlot plot{.title = "Accuracy",
               .description = "",
               .x = {"accuracy", NumberStyle::percent, false, 0.01},
               .rows = {},
               .dot_name = "one seed",
               .mean_name = "mean",
               .interval_name = "interval"};
  plot.rows.push_back({.name = "<script>&\"",
                       .value = "86.00 %",
                       .dots = std::move(values),
                       .mean = 0.86,
                       .low = 0.85,
                       .high = 0.87,
                       .marked = true});
  return plot;
}

TEST(DotPlot, ShowsSeedsMeanAndInterval) {
  const std::string svg = svg_dot_plot(dots({0.855, 0.86, 0.865}), SvgStyle::in_page);
  EXPECT_EQ(markup_error(svg), "");
  EXPECT_EQ(occurrences(svg, "r=\"3.5\""), 4U);  // three seeds and the key
  EXPECT_NE(svg.find(">one seed<"), std::string::npos);
  EXPECT_NE(svg.find(">interval<"), std::string::npos);
  EXPECT_NE(svg.find("&lt;script&gt;&amp;&quot;"), std::string::npos);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  expect_inside(svg);
}

TEST(DotPlot, OneSeedHasNeitherMeanNorInterval) {
  DotPlot plot = dots({0.86});
  plot.rows[0].low = plot.rows[0].high = 0.86;
  const std::string svg = svg_dot_plot(plot, SvgStyle::in_page);
  EXPECT_EQ(occurrences(svg, "r=\"3.5\""), 0U);
  EXPECT_EQ(occurrences(svg, "r=\"6\""), 1U);
  for (const char* text : {">one seed<", ">mean<", ">interval<"})
    EXPECT_EQ(svg.find(text), std::string::npos) << text;
}

TEST(DotPlot, EqualSeedsStayVisible) {
  const std::string svg = svg_dot_plot(dots({0.86, 0.86, 0.86}), SvgStyle::in_page);
  std::set<std::string> places;
  const std::regex dot("<circle cx=\"[0-9.]+\" cy=\"[0-9.]+\" r=\"3.5\"");
  for (std::sregex_iterator at(svg.begin(), svg.end(), dot), end; at != end; ++at)
    places.insert(at->str());
  EXPECT_EQ(places.size(), 4U);  // and the key's
}

TEST(DotPlot, SurvivesNoRowsAndNoNumbers) {
  DotPlot plot = dots({kNan});
  plot.rows[0].mean = kInfinity;
  plot.rows[0].low = kNan;
  EXPECT_FALSE(has_broken_number(svg_dot_plot(plot, SvgStyle::file)));
  plot.rows.clear();
  EXPECT_EQ(markup_error(svg_dot_plot(plot, SvgStyle::file)), "");
}

TEST(FittedText, LosesItsMiddleOnly) {
  EXPECT_EQ(fitted_text("mlp(gelu)", 13, 400), "mlp(gelu)");
  const std::string shorter = fitted_text("deepseek-moe(64, top=6, shared=2, glu(silu))", 13, 150);
  EXPECT_LE(text_width(shorter, 13), 150);
  EXPECT_TRUE(shorter.starts_with("deepseek"));
  EXPECT_TRUE(shorter.ends_with("lu))"));
  EXPECT_NE(shorter.find("…"), std::string::npos);
  EXPECT_EQ(text_width(fitted_text("ééééééééééé", 13, 60), 13) <= 60, true);
}

}  // namespace
}  // namespace ffn
