#include "console.h"
#include "ffn/feedforward/registry.h"
#include "ffn/models/vit.h"
#include "ffn/report/table.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

Table models_table() {
  Table table{{{"model"}, {"width"}, {"layers"}, {"heads"}, {"pooling"}}, {}};
  for (const std::string_view name : vit_preset_names()) {
    const VitConfig config = vit_preset(name);
    table.add_row({std::string(name), config.width, config.layers, config.heads,
                   config.pool == Pool::mean ? "mean" : "class token"});
  }
  return table;
}

Table designs_table() {
  Table table{{{"design"}, {"summary"}, {"options"}, {"source"}}, {}};
  for (const DesignEntry& entry : standard_designs().entries())
    table.add_row({std::string(entry.name), std::string(entry.summary), entry.options_text(),
                   std::string(entry.source)});
  return table;
}

void run(const std::string& what, const OutputOption& output) {
  print_result(to_text(what == "models" ? models_table() : designs_table(), output.format()));
}

}  // namespace

void add_zoo(CLI::App& app) {
  auto output = std::make_shared<OutputOption>();
  auto what = std::make_shared<std::string>("designs");
  CLI::App* verb = app.add_subcommand("zoo", "list the feed-forward designs, or the model presets");
  verb->add_option("what", *what, "designs or models")
      ->check(CLI::IsMember({"designs", "models"}).description(""))
      ->capture_default_str();
  output->add_to(*verb);
  add_example(*verb, "ffn zoo models");
  verb->callback([output, what] { run(*what, *output); });
}

}  // namespace ffn::app
