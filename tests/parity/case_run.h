// One fixture on one device: its inputs as values, what an operation made of them, and the
// comparison.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/autograd/executor.h"
#include "fixture.h"

namespace ffn::parity {

// Where parity is checked: the reference device in f64, every instruction set of this machine in
// f32 with two threads.
struct Place {
  std::string name;
  bool reference = false;
  Isa isa = Isa::scalar;

  DType dtype() const { return reference ? DType::f64 : DType::f32; }
  Device device() const;
};
inline std::ostream& operator<<(std::ostream& out, const Place& place) { return out << place.name; }
const std::vector<Place>& places();

// Allowed distance from the fixture, as a share of the tensor's largest magnitude.
//   f64   1e-12: a sum of 64 terms, the longest here, rounds by at most 64 · 2^-53 = 7.1e-15 of its
//         absolute terms; what is left is for chained operations and cancellation. Measured: ≤
//         1e-15.
//   f32   4 · f32_error + 4 · 2^-24: f32_error is the largest of 16 runs of another f32
//   implementation
//         with inputs half an ulp off. The largest of 16 draws underestimates the worst case, hence
//         the factor; 4 · 2^-24 is what vectorised elementary functions may add. Measured: ≤ 0.22
//         of it.
double tolerance(const Fixture& fixture, const std::string& array, const Place& place);

// Every element within tolerance · max|expected|, integers exactly.
void expect_close(const Array& expected, std::span<const double> found, double tolerance,
                  const std::string& what);

class CaseRun {
 public:
  CaseRun(Executor& executor, const Fixture& file, DType dtype)
      : ex(executor), fixture(file), dtype_(dtype) {}

  Executor& ex;
  const Fixture& fixture;

  // in.<name>: a leaf when the fixture has its gradient, a constant otherwise; undefined when there
  // is no such input. The same value each time. `shape` regroups the same elements.
  Value input(const std::string& name);
  Value input(const std::string& name, const Shape& shape);
  // in.<name> as i32.
  Tensor index(const std::string& name);
  // in.<name> as a state; out.<name> is what it holds when the step has ended.
  State& state(const std::string& name);

  // An output other than y, compared with out.<name>.
  void output(const std::string& name, const Tensor& tensor) { outputs_[name] = tensor; }

  // Backward from y with the fixture's seed, then every out.* (states excepted) and grad.* of the
  // file.
  void finish(const Value& y, const Place& place);
  // After the step.
  void finish_states(const Place& place);

 private:
  Tensor tensor(const Array& array, const Shape& shape, DType dtype, Role role);

  DType dtype_;
  std::map<std::string, Value> inputs_;
  std::map<std::string, std::unique_ptr<State>> states_;
  std::map<std::string, Tensor> outputs_;
};

}  // namespace ffn::parity
