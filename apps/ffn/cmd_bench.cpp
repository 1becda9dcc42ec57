#include <iostream>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/bench/bench_report.h"
#include "ffn/bench/bench_rounds.h"
#include "ffn/bench/counted_runs.h"
#include "ffn/bench/suite.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct BenchCommand {
  std::vector<std::string> suites, files;
  std::string only, compare;
  int threads = 0, count = 0;
  bool quick = false, list = false, on_request = false;
  OutputOption output;
};

std::string suite_names() {
  std::string names;
  for (const EmbeddedSuite& suite : embedded_suites())
    names.append(names.empty() ? "" : ", ").append(suite.name);
  return names;
}

// Those named, those of files, and where a list is asked for without a name all there are.
std::vector<BenchSuite> suites_of(const BenchCommand& command) {
  std::vector<BenchSuite> suites;
  for (const std::string& name : command.suites) suites.push_back(embedded_suite(name));
  for (const std::string& path : command.files) suites.push_back(read_suite(path));
  if (!suites.empty()) return suites;
  check(command.list, ErrorKind::config, "bench", "name a suite (", suite_names(),
        ") or a file with --cases");
  for (const EmbeddedSuite& suite : embedded_suites()) suites.push_back(embedded_suite(suite.name));
  return suites;
}

Table list_of(const std::vector<BenchCase>& cases) {
  Table table{{{"case"}, {"kind"}, {"shape"}, {"n"}, {"dtype"}, {"pass"}}, {}};
  for (const BenchCase& c : cases) {
    const std::string pass = pass_text(c);
    table.add_row({c.suite + "/" + c.name, std::string(kind_of(c)), shape_text(c), rows_of(c),
                   dtype_text(c), pass.empty() ? Cell() : Cell(pass)});
  }
  return table;
}

int threads_of(const BenchCommand& command) {
  return command.threads == 0 ? available_threads() : command.threads;
}

// Every line of the input names a case; the answer is one line, at once.
void answer_requests(const BenchCommand& command, const std::vector<BenchCase>& cases) {
  BenchRounds rounds(cases, threads_of(command));
  for (std::string key; std::getline(std::cin, key);) print_result(rounds.answer(key) + "\n");
}

BenchReport measured(const BenchCommand& command, const std::vector<BenchCase>& cases) {
  const BenchOptions options{threads_of(command), command.quick, FFN_VERSION};
  return run_bench(cases, options, [&](std::size_t done, const BenchCase& next) {
    say("[" + std::to_string(done + 1) + "/" + std::to_string(cases.size()) + "] " + next.suite +
        "/" + next.name);
  });
}

void run(const BenchCommand& command) {
  const std::vector<BenchCase> cases = select_cases(suites_of(command), command.only);
  if (command.list) {
    print_result(to_text(list_of(cases), command.output.format()));
    return;
  }
  if (command.count > 0) {
    run_counted(cases, command.count, [](const std::string& key) { print_result(key + "\n"); });
    return;
  }
  if (command.on_request) {
    answer_requests(command, cases);
    return;
  }
  std::optional<BenchReport> old;  // read first: a mistake shows before minutes of measuring
  if (!command.compare.empty()) old = read_bench_report(command.compare);
  BenchReport report = measured(command, cases);
  if (old) report.comparison = compare_reports(*old, report);
  print_result(bench_text(report, command.output.format()));
  if (any_slower(report.comparison)) throw ExitCode{1};
}

}  // namespace

void add_bench(CLI::App& app) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* verb = app.add_subcommand(
      "bench",
      "measure products, layers and training steps: verified first, then beside the machine's "
      "limits");
  verb->add_option("suite", command->suites, "suites to run: " + suite_names())->type_name("SUITE");
  verb->add_option("--cases", command->files,
                   "a file with cases of your own (docs/bench.md); may be given several times")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb->add_option("--only", command->only, "only cases with this text in suite/name")
      ->type_name("TEXT");
  verb->add_option("--threads", command->threads, "threads; 0 takes every processor")
      ->check(CLI::Range(0, 1024).description(""))
      ->capture_default_str();
  CLI::Option* quick =
      verb->add_flag("--quick", command->quick,
                     "three short samples a case: shows that it works, not how fast it is");
  // For tools/count_instructions.
  CLI::Option* count =
      verb->add_option("--count", command->count)->check(CLI::Range(1, 1000))->group("");
  CLI::Option* list =
      verb->add_flag("--list", command->list, "show the cases, and measure nothing");
  CLI::Option* compare =
      verb->add_option(
              "--compare", command->compare,
              "an earlier result as JSON: a ratio per case; exit code 1 when one is slower "
              "beyond both spreads")
          ->type_name("FILE");
  verb->add_flag("--on-request", command->on_request,
                 "measure a round of a case whenever a line of the input names it, and answer with "
                 "a line of JSON: for programs that measure others in turn")
      ->excludes(count)
      ->excludes(quick)
      ->excludes(list)
      ->excludes(compare);
  command->output.add_to(*verb);
  add_example(*verb,
              "ffn bench ffn --only smollm2 -o json > old.json\n"
              "  ffn bench ffn --only smollm2 --compare old.json\n"
              "FFN_ISA=scalar|avx2|avx512|avx512_bf16 chooses the instruction set.");
  verb->callback([command] { run(*command); });
}

}  // namespace ffn::app
