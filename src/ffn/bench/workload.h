// A case made ready to be measured: operands in place, the result verified.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ffn/bench/bench_case.h"
#include "ffn/bench/machine_limits.h"

namespace ffn::inline v0 {

// Where cases run.
struct BenchMachine {
  Isa isa = Isa::scalar;
  ThreadPool* pool = nullptr;
  CacheSizes caches;

  Device device() const { return cpu_device(*pool, isa); }
};

struct Workload {
  std::function<void()> run;
  // That one run needs: 2 per multiply-add, a forward and backward pass three times its forward
  // pass, also where hidden values are computed again.
  double flops = 0;
  std::int64_t moved_bytes = 0;  // that one run reads or writes at least, each once; 0: not counted
  bool cold = false;             // these bytes come from memory, however few they are
  std::optional<std::int64_t> predicted_bytes = {};  // peak, by a dry run
  // Peak of the runs so far; empty where nothing is predicted.
  std::function<std::int64_t()> measured_bytes = {};
  std::string verified;  // what was compared with the reference device
};

// Throws Error{config} when there is no such model or its data do not fit it.
void check_train_case(const TrainCase& c);

// Each verifies the case against the reference device in f64 before it returns. Throws
// Error{device} naming the case when a result is wrong; errors of designs and models as theirs
// (config); Error{device} when memory does not suffice.
Workload product_workload(const ProductCase& c, const std::string& name, const BenchMachine& on);
Workload quantized_workload(const ProductCase& c, const std::string& name, const BenchMachine& on);
Workload layer_workload(const LayerCase& c, const std::string& name, const BenchMachine& on);
Workload train_workload(const TrainCase& c, const std::string& name, const BenchMachine& on);
Workload make_workload(const BenchCase& c, const BenchMachine& on);

}  // namespace ffn::inline v0
