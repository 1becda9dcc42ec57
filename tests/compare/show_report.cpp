// Writes the report of a made-up comparison, to look at: show_report FOLDER DESIGNS SEEDS
// [grid|text|experts].
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "compare/made_up_experts.h"
#include "ffn/compare/comparison_report.h"

int main(int count, char** words) {
  if (count < 4) {
    std::cerr << "usage: show_report FOLDER DESIGNS SEEDS [grid|text|experts]\n";
    return 2;
  }
  const std::filesystem::path folder = words[1];
  std::filesystem::create_directories(folder);
  const std::string kind = count > 4 ? words[4] : "";
  const std::size_t designs = std::stoul(words[2]), seeds = std::stoul(words[3]);
  const ffn::ComparisonResult result = kind == "text" ? ffn::made_up_text_comparison(designs, seeds)
                                       : kind == "experts"
                                           ? ffn::made_up_expert_comparison(designs, seeds)
                                           : ffn::made_up_comparison(designs, seeds, !kind.empty());
  std::ofstream(folder / "report.html") << ffn::comparison_html({&result, 1});
  std::ofstream(folder / "report.md") << ffn::comparison_markdown(result);
  for (const auto& [name, svg] : ffn::comparison_plots(result))
    std::ofstream(folder / (name + ".svg")) << svg;
  return 0;
}
