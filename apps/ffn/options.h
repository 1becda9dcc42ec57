// Options that several verbs share, with one wording.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/report/table.h"

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

// --model, --ffn, --match, --match-to
struct ModelOptions {
  std::string model;
  std::vector<std::string> feed_forward;  // one, or several where a verb compares
  std::string match;                      // empty, params or flops
  std::string match_to = "mlp(gelu)";

  void add_to(CLI::App& verb, bool several_designs);
};

// "Example: ffn plan …" below a verb's options.
void add_example(CLI::App& verb, const std::string& example);

}  // namespace ffn::app
