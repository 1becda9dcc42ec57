#include "ffn/compare/comparison_report.h"

#include "ffn/compare/comparison_figures.h"
#include "ffn/compare/design_experts.h"
#include "ffn/compare/expert_panel.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_tables.h"
#include "ffn/compare/report_texts.h"
#include "ffn/compare/report_words.h"
#include "ffn/report/html_page.h"

namespace ffn::inline v0 {
namespace {

// The answer is shown large, what follows it is not.
std::pair<std::string, std::string> first_sentence(const std::string& text) {
  const std::size_t end = text.find(". ");
  if (end == std::string::npos) return {text, ""};
  return {text.substr(0, end + 1), text.substr(end + 2)};
}

// One comparison on the page; as a part among several its headings stand one level lower.
class ReportPart {
 public:
  ReportPart(HtmlPage& page, const ComparisonResult& result, bool one_of_several)
      : page_(page),
        result_(result),
        words_(words_of(result.measure)),
        one_of_several_(one_of_several) {}

  void write() {
    write_answer();
    write_setting();
    write_results();
    write_figures();
    write_experts();
    write_tests();
    write_learning_rates();
    write_explanations();
    write_costs();
    write_origin();
  }

 private:
  void heading(const std::string& title) {
    if (one_of_several_) {
      page_.subsection(title);
    } else {
      page_.section(title);
    }
  }

  void write_answer() {
    if (!result_.scale.empty()) page_.badge(result_.scale, scale_text(result_.scale));
    std::vector<std::pair<std::string, std::string>> asked;
    if (!result_.question.empty()) asked.emplace_back("Question", result_.question);
    if (!result_.claim.empty()) asked.emplace_back("Claim tested", result_.claim);
    if (!asked.empty()) page_.key_values(asked);
    const auto [answer, rest] = first_sentence(result_.verdict.sentence);
    const std::vector<std::string> notes{rest, cost_text(result_), certainty_text(result_)};
    page_.verdict(answer.empty() ? "No verdict was reached." : answer, notes);
  }

  void write_setting() {
    heading("What was compared, and how");
    page_.paragraph(
        "The same model was trained once for each design and seed, on the same data in the same "
        "order; "
        "only the feed-forward layer differs.");
    page_.key_values(design_pairs(result_));
    page_.key_values(setting_pairs(result_));
  }

  void write_results() {
    heading("Results");
    const MainTable main = main_table(result_);
    page_.table(main.table, {.marked = main.leaders, .mark = "leading", .cards = true});
    std::string note;
    if (!main.leaders.empty() && result_.designs.size() > 1)
      note =
          "Leading: " + words_.best_design + " and those that the tests do not show to be worse. ";
    const std::string below = "Below " + words_.one_quality + " stand ";
    if (result_.seeds.size() == 2) note += below + "the values of both seeds.";
    if (result_.seeds.size() > 2) note += below + "the lowest and the highest seed.";
    if (!note.empty()) page_.paragraph(note);
  }

  void write_figures() {
    const std::string name = capitalized(words_.name);
    const ComparisonFigure quality = quality_figure(result_, SvgStyle::in_page);
    heading(name + ", seed by seed");
    page_.figure(quality.svg, quality.caption, true);
    heading("Learning curves");
    for (const ComparisonFigure& figure : curve_figures(result_, SvgStyle::in_page))
      page_.figure(figure.svg, figure.caption);
    const std::vector<ComparisonFigure> costs = cost_figures(result_, SvgStyle::in_page);
    if (costs.empty()) return;
    heading(name + " against cost");
    for (const ComparisonFigure& figure : costs) page_.figure(figure.svg, figure.caption);
  }

  void write_experts() {
    if (!has_experts(result_)) return;
    heading("Expert health");
    page_.paragraph(expert_text(result_));
    page_.table(expert_table(result_), {.cards = true});
    for (const ComparisonFigure& figure : expert_figures(result_, SvgStyle::in_page))
      page_.figure(figure.svg, figure.caption, true);
  }

  void write_tests() {
    if (result_.pairs.empty()) return;
    heading("Which differences are real?");
    bool models_only = false;
    for (const PairResult& pair : result_.pairs)
      models_only = models_only || pair.basis == PairBasis::examples;
    page_.paragraph(
        models_only
            ? "Every pair, tested on the same test " + plural(words_.example) +
                  "; the better design stands first. Fewer than three seeds: this holds for these "
                  "trained models only, and how far other seeds would move it is unknown. "
                  "Differences are in " +
                  words_.margin + "."
            : "Every pair, tested over the seeds. Differences are in " + words_.margin +
                  "; the better design stands first.");
    page_.table(reading_table(result_), {.sentences = true, .cards = true});
  }

  void write_learning_rates() {
    const Table rates = learning_rate_table(result_);
    if (rates.rows.empty()) return;
    heading("Learning rates tried");
    std::string text =
        "Validation " + words_.name + " of each candidate; the best was used for the design.";
    if (result_.grid_flops > 0)
      text += " Choosing took " + to_text(result_.grid_flops, NumberStyle::flops) +
              " of training, which no other cost on this page includes.";
    page_.paragraph(text);
    page_.table(rates, {});
  }

  void write_explanations() {
    heading("How to read this");
    page_.key_values(glossary(result_));
  }

  void write_costs() {
    heading("Costs in detail");
    page_.paragraph(
        "What follows from each design. Active parameters are those that one token meets; the "
        "budget reached is given as a share of the budget asked for.");
    page_.table(size_table(result_), {.cards = true});
    page_.paragraph(
        "What was measured. Tensors: what the model itself holds, counted byte by byte. Whole "
        "process: what the operating system saw, with the program and the data set. Times are "
        "medians over the seeds, peaks the largest of them; below a step's time stands the range "
        "of the middle 80 % of the steps.");
    page_.table(measured_table(result_), {.cards = true});
  }

  void write_origin() {
    if (result_.command.empty() && result_.environment.empty()) return;
    heading("Where this comes from");
    if (!result_.command.empty()) page_.code(result_.command);
    if (!result_.environment.empty()) page_.key_values(result_.environment);
  }

  HtmlPage& page_;
  const ComparisonResult& result_;
  const MeasureWords& words_;
  bool one_of_several_;
};

std::string title_of(const ComparisonResult& result) {
  if (!result.title.empty()) return result.title;
  return std::to_string(result.designs.size()) + " feed-forward designs compared";
}

}  // namespace

std::string comparison_html(std::span<const ComparisonResult> results) {
  if (results.size() == 1) {
    HtmlPage page(title_of(results[0]));
    ReportPart(page, results[0], false).write();
    return page.str();
  }
  HtmlPage page("Feed-forward designs: " + std::to_string(results.size()) + " comparisons");
  std::vector<std::pair<std::string, std::string>> verdicts;
  for (const ComparisonResult& result : results)
    verdicts.emplace_back(title_of(result), result.verdict.sentence);
  page.key_values(verdicts);
  for (const ComparisonResult& result : results) {
    page.section(title_of(result));
    ReportPart(page, result, true).write();
  }
  return page.str();
}

std::vector<std::pair<std::string, std::string>> comparison_plots(const ComparisonResult& result) {
  std::vector<ComparisonFigure> figures{quality_figure(result, SvgStyle::file)};
  for (ComparisonFigure& figure : cost_figures(result, SvgStyle::file))
    figures.push_back(std::move(figure));
  for (ComparisonFigure& figure : curve_figures(result, SvgStyle::file))
    figures.push_back(std::move(figure));
  for (ComparisonFigure& figure : expert_figures(result, SvgStyle::file))
    figures.push_back(std::move(figure));
  std::vector<std::pair<std::string, std::string>> plots;
  for (ComparisonFigure& figure : figures)
    plots.emplace_back(std::move(figure.name), std::move(figure.svg));
  return plots;
}

}  // namespace ffn::inline v0
