#include <filesystem>

#include "console.h"
#include "ffn/inference/known_models.h"
#include "ffn/report/table.h"
#include "ffn/train/dataset.h"
#include "ffn/train/text_data.h"
#include "get_model.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text.append(", ");
    text.append(part);
  }
  return text;
}

void run(const OutputOption& output) {
  Table table{{{"name"}, {"title"}, {"found"}, {"looked_in"}, {"how_to_get"}}, {}};
  for (const DataSetInfo& info : list_data_sets()) {
    const bool found = !info.folder.empty();
    table.add_row({info.name, info.title, found ? Cell(info.folder) : Cell("no"),
                   joined(info.looked_in), found ? Cell() : Cell(info.how_to_get)});
  }
  for (const KnownText& text : known_texts()) {
    const bool found = std::filesystem::exists(text.path);
    const std::string path(text.path);
    table.add_row({std::string(text.name), std::string(text.title), found ? Cell(path) : Cell("no"),
                   path, found ? Cell() : Cell(std::string(text.how_to_get))});
  }
  for (const KnownModel& model : known_models()) {
    const std::string path = placed_model(model);
    table.add_row({std::string(model.name), std::string(model.title),
                   path.empty() ? Cell("no") : Cell(path), joined(model_places(model)),
                   path.empty() ? Cell("ffn data get " + std::string(model.name)) : Cell()});
  }
  print_result(to_text(table, output.format()));
}

}  // namespace

void add_data(CLI::App& app) {
  auto output = std::make_shared<OutputOption>();
  CLI::App* verb =
      app.add_subcommand("data", "list the data sets and models that are here; get a model");
  output->add_to(*verb);
  const CLI::App* get = add_data_get(*verb);
  add_example(*verb, "ffn data -o json; ffn data get smollm2");
  verb->callback([output, get] {
    if (!get->parsed()) run(*output);
  });
}

}  // namespace ffn::app
