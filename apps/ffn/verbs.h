// The verbs of the command. Each adds itself to the application and runs when it is named.
#pragma once

#include <CLI/CLI.hpp>

namespace ffn::app {

// What a verb throws, when all is printed, to end the program with this code.
struct ExitCode {
  int code;
};

void add_bench(CLI::App& app);
void add_compare(CLI::App& app);
void add_data(CLI::App& app);
void add_embed(CLI::App& app);
void add_eval(CLI::App& app);
void add_inspect(CLI::App& app);
void add_plan(CLI::App& app);
void add_run(CLI::App& app);
void add_train(CLI::App& app);
void add_zoo(CLI::App& app);

}  // namespace ffn::app
