// Writes the report of a made-up comparison, to look at: show_report FOLDER DESIGNS SEEDS
// [grid|text].
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "compare/made_up_comparison.h"
#include "ffn/compare/comparison_report.h"

int main(int count, char** words) {
  if (count < 4) {
    std::cerr << "usage: show_report FOLDER DESIGNS SEEDS [grid|text]\n";
    return 2;
  }
  const std::filesystem::path folder = words[1];
  std::filesystem::create_directories(folder);
  const ffn::ComparisonResult result =
      count > 4 && std::string(words[4]) == "text"
          ? ffn::made_up_text_comparison(std::stoul(words[2]), std::stoul(words[3]))
          : ffn::made_up_comparison(std::stoul(words[2]), std::stoul(words[3]), count > 4);
  std::ofstream(folder / "report.html") << ffn::comparison_html({&result, 1});
  std::ofstream(folder / "report.md") << ffn::comparison_markdown(result);
  for (const auto& [name, svg] : ffn::comparison_plots(result))
    std::ofstream(folder / (name + ".svg")) << svg;
  return 0;
}
