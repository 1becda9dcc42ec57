#include "ffn/compare/write_results.h"

#include <filesystem>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/compare/comparison_report.h"
#include "ffn/compare/comparison_table.h"
#include "ffn/io/atomic_file.h"

namespace ffn::inline v0 {
namespace {

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void write_part(const std::string& folder, const ComparisonResult& result) {
  std::error_code code;
  std::filesystem::create_directories(folder + "/plots", code);
  check(!code, ErrorKind::io, folder + "/plots", "cannot be made: ", code.message());
  write_text(folder + "/report.md", comparison_markdown(result));
  write_text(folder + "/designs.csv", to_text(comparison_table(result), TableFormat::csv));
  write_text(folder + "/pairs.csv", to_text(pair_table(result), TableFormat::csv));
  for (const auto& [name, svg] : comparison_plots(result))
    write_text(folder + "/plots/" + name + ".svg", svg);
}

}  // namespace

std::string write_results(const std::string& folder, std::span<const NamedResult> results) {
  std::vector<ComparisonResult> all;
  for (const NamedResult& named : results) {
    write_part(named.name.empty() ? folder : folder + "/" + named.name, named.result);
    all.push_back(named.result);
  }
  const std::string page = folder + "/report.html";
  write_text(page, comparison_html(all));
  return page;
}

}  // namespace ffn::inline v0
