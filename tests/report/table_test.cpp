#include "ffn/report/table.h"

#include <gtest/gtest.h>

namespace ffn {
namespace {

Table sample() {
  Table table{{{"design"}, {"parameters", NumberStyle::count}, {"accuracy", NumberStyle::percent}},
              {}};
  table.add_row({"glu(silu, hidden=512)", std::int64_t{5380132}, 0.91337});
  table.add_row({"a|b \"c\"", std::int64_t{7}, {}});
  return table;
}

TEST(Table, MarkdownAlignsAndEscapes) {
  EXPECT_EQ(to_text(sample(), TableFormat::md),
            "| design                | parameters | accuracy |\n"
            "|-----------------------|------------|----------|\n"
            "| glu(silu, hidden=512) | 5,380,132  | 91.34 %  |\n"
            "| a\\|b \"c\"              | 7          |          |\n");
}

TEST(Table, UprightMarkdownHasOneLinePerColumn) {
  EXPECT_EQ(to_text(sample(), TableFormat::md, true),
            "| design     | glu(silu, hidden=512) | a\\|b \"c\" |\n"
            "|------------|-----------------------|----------|\n"
            "| parameters | 5,380,132             | 7        |\n"
            "| accuracy   | 91.34 %               |          |\n");
}

TEST(Table, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(to_text(sample(), TableFormat::csv),
            "design,parameters,accuracy\r\n"
            "\"glu(silu, hidden=512)\",5380132,0.91337\r\n"
            "\"a|b \"\"c\"\"\",7,\r\n");
}

TEST(Table, JsonHoldsNumbersInFull) {
  EXPECT_EQ(to_text(sample(), TableFormat::json),
            "{\n  \"schema\": 1,\n  \"rows\": [\n    {\n"
            "      \"design\": \"glu(silu, hidden=512)\",\n      \"parameters\": 5380132,\n"
            "      \"accuracy\": 0.91337\n    },\n    {\n"
            "      \"design\": \"a|b \\\"c\\\"\",\n      \"parameters\": 7,\n"
            "      \"accuracy\": null\n    }\n  ]\n}\n");
}

TEST(Table, SeveralTablesAreOneObject) {
  Table one{{{"a"}}, {}};
  one.add_row({std::int64_t{1}});
  EXPECT_EQ(to_json(std::vector<NamedTable>{{"first", one}, {"none", {{{"a"}}, {}}}}),
            "{\n  \"schema\": 1,\n  \"first\": [\n    {\n      \"a\": 1\n    }\n  ],\n"
            "  \"none\": []\n}\n");
}

TEST(Table, NumbersReadWithTheirUnits) {
  EXPECT_EQ(to_text(std::int64_t{1023}, NumberStyle::bytes), "1023 B");
  EXPECT_EQ(to_text(std::int64_t{1536}, NumberStyle::bytes), "1.5 KiB");
  EXPECT_EQ(to_text(std::int64_t{9092096}, NumberStyle::bytes), "8.671 MiB");
  EXPECT_EQ(to_text(std::int64_t{2516582400}, NumberStyle::flops), "2.517 GFLOP");
  EXPECT_EQ(to_text(std::int64_t{-1234567}, NumberStyle::count), "-1,234,567");
  EXPECT_EQ(to_text(std::int64_t{123}, NumberStyle::count), "123");
  EXPECT_EQ(to_text(true, NumberStyle::plain), "yes");
  EXPECT_EQ(to_text(0.125, NumberStyle::plain), "0.125");
}

TEST(Table, WidthsCountLettersNotBytes) {
  Table table{{{"é"}, {"b"}}, {}};
  table.add_row({"×××××", std::int64_t{1}});
  EXPECT_EQ(to_text(table, TableFormat::md), "| é     | b   |\n|-------|-----|\n| ××××× | 1   |\n");
}

}  // namespace
}  // namespace ffn
