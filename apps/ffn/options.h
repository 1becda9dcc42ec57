// Options that several verbs share, with one wording.
#pragma once

#include <CLI/CLI.hpp>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/report/table.h"
#include "ffn/train/recipe.h"

namespace ffn::app {

// -o md|csv|json
struct OutputOption {
  void add_to(CLI::App& verb);
  TableFormat format() const;

 private:
  std::string name_ = "md";
};

// --threads, --device, --dtype, --memory
struct DeviceOptions {
  int threads = 0;  // 0: all that the process may use
  std::string device = "cpu";
  std::string dtype_name = "f32", memory_name = "store";

  void add_to(CLI::App& verb);
  DType dtype() const;
  MemoryMode memory() const;
  // Keeps the pool that the device refers to.
  Device open();

 private:
  std::unique_ptr<ThreadPool> pool_;
};

// --model, --patch, --context, …, --ffn, --match, --match-to
struct ModelOptions {
  ModelRequest request;

  // Several designs where a verb compares; `budgets`: what --match may make equal.
  void add_to(CLI::App& verb, bool several_designs,
              std::vector<std::string> budgets = {"params", "active", "flops", "bytes"});
};

// --data, --pad, --shuffle-patches
void add_data_options(CLI::App& verb, TrainRecipe& recipe);
// --epochs, --steps, --batch, --lr and whatever else a recipe has; not data, dtype and memory.
void add_recipe_options(CLI::App& verb, TrainRecipe& recipe);

// Options that would be ignored are refused. Errors: config, naming the first given of `names`:
// "NAME WHY".
void refuse_given(const CLI::App& verb, std::initializer_list<const char*> names, const char* why);

// What run.json says of the program and the device.
std::map<std::string, std::string> run_environment(const Device& device);

// "Example: ffn plan …" below a verb's options.
void add_example(CLI::App& verb, const std::string& example);

}  // namespace ffn::app
