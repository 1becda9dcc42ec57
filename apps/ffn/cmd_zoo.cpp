#include "console.h"
#include "ffn/feedforward/registry.h"
#include "ffn/models/model_config.h"
#include "ffn/report/table.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

Table models_table() {
  Table table{{{"model"}, {"reads"}, {"width"}, {"layers"}, {"heads"}, {"pooling"}, {"context"}},
              {}};
  for (const std::string_view name : vit_preset_names()) {
    const VitConfig config = vit_preset(name);
    table.add_row({std::string(name), "pictures", config.width, config.layers, config.heads,
                   config.pool == Pool::mean ? "mean" : "class token", Cell()});
  }
  for (const std::string_view name : decoder_preset_names()) {
    const DecoderConfig config = decoder_preset(name);
    table.add_row({std::string(name), "text", config.width, config.layers, config.heads, Cell(),
                   config.tokens});
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

Table aliases_table() {
  Table table{{{"alias"}, {"stands_for"}}, {}};
  for (const DesignAlias& alias : standard_designs().aliases())
    table.add_row({std::string(alias.name), std::string(alias.text)});
  return table;
}

Table table_of(const std::string& what) {
  if (what == "models") return models_table();
  return what == "aliases" ? aliases_table() : designs_table();
}

void run(const std::string& what, const OutputOption& output) {
  print_result(to_text(table_of(what), output.format()));
}

}  // namespace

void add_zoo(CLI::App& app) {
  auto output = std::make_shared<OutputOption>();
  auto what = std::make_shared<std::string>("designs");
  CLI::App* verb = app.add_subcommand(
      "zoo", "list the feed-forward designs, their short names, or the model presets");
  verb->add_option("what", *what, "designs, aliases or models")
      ->check(CLI::IsMember({"designs", "aliases", "models"}).description(""))
      ->capture_default_str();
  output->add_to(*verb);
  add_example(*verb, "ffn zoo models");
  verb->callback([output, what] { run(*what, *output); });
}

}  // namespace ffn::app
