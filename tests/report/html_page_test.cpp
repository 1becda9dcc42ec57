#include "ffn/report/html_page.h"

#include <gtest/gtest.h>

#include "ffn/report/escape.h"
#include "report/markup_check.h"

namespace ffn {
namespace {

constexpr const char* kHostile = "<script>alert('x')</script>&\"";
constexpr const char* kHarmless = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;";

TEST(EscapedXml, EntitiesForMarkup) {
  EXPECT_EQ(escaped_xml(kHostile), kHarmless);
  EXPECT_EQ(escaped_xml("glu(silu, hidden=512) é × 🦆\n\t"), "glu(silu, hidden=512) é × 🦆\n\t");
}

TEST(EscapedXml, ReplacesWhatXmlRefuses) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped_xml(std::string_view("a\0b", 3)), "a" + bad + "b");
  EXPECT_EQ(escaped_xml("\x1b[31m"), bad + "[31m");
  EXPECT_EQ(escaped_xml("\xff"), bad);
  EXPECT_EQ(escaped_xml("\xc3"), bad);                      // cut off
  EXPECT_EQ(escaped_xml("\xc0\xbc"), bad + bad);            // "<" in a longer form than needed
  EXPECT_EQ(escaped_xml("\xed\xa0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(escaped_xml("\xef\xbf\xbf"), bad + bad + bad);  // U+FFFF
}

HtmlPage full_page(const std::string& text) {
  HtmlPage page(text);
  page.badge(text, text);
  const std::vector<std::string> texts{text, "", text};
  page.verdict(text, texts);
  page.section(text);
  page.subsection(text);
  page.paragraph(text);
  const std::vector<std::pair<std::string, std::string>> pairs{{text, text}};
  page.key_values(pairs);
  page.list(texts);
  page.code(text);
  Table table{{{text}, {"peak_bytes", NumberStyle::bytes}, {text}}, {}};
  table.add_row({text, std::int64_t{1536}, text + "\n" + text});
  page.table(table, {.marked = {0}, .mark = text, .cards = true});
  page.figure("<svg></svg>", text);
  page.figure("<svg></svg>", text);
  page.figure("<svg></svg>", text, true);
  page.figure("<svg></svg>", "");
  return page;
}

TEST(HtmlPage, EscapesEverythingGiven) {
  const std::string html = full_page(kHostile).str();
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find(kHostile), std::string::npos);
  EXPECT_EQ(markup_error(html, {"meta"}), "");
}

TEST(HtmlPage, IsWellFormedAndNeedsNothingElse) {
  const std::string html = full_page("plain").str();
  EXPECT_EQ(markup_error(html, {"meta"}), "");
  EXPECT_EQ(html, full_page("plain").str());
  for (const char* outside :
       {"http:", "https:", "src=", "href=", "<script", "@import", "url(", "<link"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  for (const char* needed :
       {"<!doctype html>", "lang=\"en\"", "charset=\"utf-8\"", "width=device-width",
        "prefers-color-scheme:dark", "@media print", "max-width:640px"})
    EXPECT_NE(html.find(needed), std::string::npos) << needed;
}

TEST(HtmlPage, TablesAlignNumbersAndMarkRows) {
  HtmlPage page("t");
  Table table{{{"design"}, {"train_peak_bytes", NumberStyle::bytes}, {"note"}}, {}};
  table.add_row({"a", std::int64_t{1536}, "x"});
  table.add_row({"b\nsmall", {}, "y"});
  page.table(table, {.marked = {1}, .mark = "leading", .cards = true});
  const std::string html = page.str();
  EXPECT_NE(html.find("<th scope=\"col\">Design</th><th scope=\"col\" class=\"n\">Train peak</th>"
                      "<th scope=\"col\">Note</th>"),
            std::string::npos);
  EXPECT_NE(html.find("<td data-label=\"Train peak\" class=\"n\">1.5 KiB</td>"), std::string::npos);
  EXPECT_NE(html.find("<tr class=\"marked\"><th scope=\"row\">b <span class=\"mark\">leading</span>"
                      "<small>small</small></th>"),
            std::string::npos);
  EXPECT_EQ(occurrences(html, "class=\"marked\""), 1U);
}

TEST(HtmlPage, FiguresInARowShareOneGrid) {
  HtmlPage page("t");
  page.figure("<svg></svg>", "one");
  page.figure("<svg></svg>", "two");
  page.paragraph("between");
  page.figure("<svg></svg>", "three");
  EXPECT_EQ(occurrences(page.str(), "<div class=\"figures\">"), 2U);
  EXPECT_EQ(markup_error(page.str(), {"meta"}), "");
}

TEST(HumanHeader, DropsUnitsThatTheCellsCarry) {
  EXPECT_EQ(human_header({"train_peak_bytes", NumberStyle::bytes}), "Train peak");
  EXPECT_EQ(human_header({"step_flops", NumberStyle::flops}), "Step");
  EXPECT_EQ(human_header({"step_ms"}), "Step (ms)");
  EXPECT_EQ(human_header({"images_per_s"}), "Images per second");
  EXPECT_EQ(human_header({"Peak memory, use", NumberStyle::bytes}), "Peak memory, use");
  EXPECT_EQ(human_header({"p"}), "p");
  EXPECT_EQ(human_header({""}), "");
}

// The checker itself must be able to fail.
TEST(MarkupCheck, SeesBrokenMarkup) {
  EXPECT_EQ(markup_error("<a><b x=\"1\"/>t &amp; u</a>"), "");
  for (const char* broken : {"<a>", "</a>", "<a><b></a></b>", "<a x=1></a>", "a & b", "a > b",
                             "<a <b></a>", "<a", "< a>", "<a>&nothing here</a>"})
    EXPECT_NE(markup_error(broken), "") << broken;
  EXPECT_TRUE(has_broken_number("<circle cx=\"nan\"/>"));
  EXPECT_TRUE(has_broken_number("<path d=\"M12 -nanL5 5\"/>"));
  EXPECT_TRUE(has_broken_number("<td>inf</td>"));
  EXPECT_FALSE(has_broken_number("finance, information, 12"));
}

}  // namespace
}  // namespace ffn
