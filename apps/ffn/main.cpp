// ffn: the command. Parses, calls the library, prints. Exit codes: 0 done, 1 something became
// slower (bench --compare), 2 usage, 3 input, 4 resources.
#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/compare/child_process.h"
#include "verbs.h"

namespace ffn::app {
namespace {

constexpr int kUsage = 2, kInput = 3, kResources = 4;

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config: return kUsage;
    case ErrorKind::shape:
    case ErrorKind::dtype:
    case ErrorKind::io: return kInput;
    case ErrorKind::device: return kResources;
  }
  return kInput;
}

void add_verbs(CLI::App& app) {
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "this text");
  app.set_version_flag("--version", "ffn " FFN_VERSION);
  add_compare(app);
  add_train(app);
  add_eval(app);
  add_run(app);
  add_embed(app);
  add_plan(app);
  add_inspect(app);
  add_bench(app);
  add_zoo(app);
  add_data(app);
  for (CLI::App* verb : app.get_subcommands({})) verb->set_help_flag("-h,--help", "this text");
}

// "; did you mean …" for a first word that is no verb.
void check_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  check(std::ranges::find(views, argv[1]) != views.end(), ErrorKind::config, "ffn",
        "unknown verb '", argv[1], "'", did_you_mean(argv[1], views));
}

int run(int argc, char** argv) {
  CLI::App app(
      "Feedforward: which feed-forward layer should a Transformer have?\n"
      "Start with:  ffn compare --ffn 'mlp(gelu)' --ffn 'dwconv(gelu)' --patch 7 --epochs 1 --out "
      "runs/first");
  add_verbs(app);
  check_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help or version
    print_error(one_line(error.what()) +
                " (ffn --help lists the verbs, ffn VERB --help its options)");
    return kUsage;
  }
  return 0;
}

}  // namespace
}  // namespace ffn::app

int main(int argc, char** argv) {
  using namespace ffn::app;
  try {
    install_console();
    return run(argc, argv);
  } catch (const ExitCode& exit) {
    return exit.code;
  } catch (const ffn::Error& error) {
    print_error(one_line(error.what()));
    return exit_code(error.kind());
  } catch (const ffn::ChildFailure& failure) {
    return failure.exit_code();  // the child has said why
  } catch (const std::bad_alloc&) {
    print_error("out of memory; `ffn plan` says how much a run needs");
    return kResources;
  } catch (const std::exception& error) {
    print_error(one_line(error.what()));
    return kResources;
  }
}
