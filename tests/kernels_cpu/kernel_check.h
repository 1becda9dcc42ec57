// One check for every cpu kernel. A case names its operands and calls one kernel; the check runs it
// on the reference table, with f64 results, and then on every ISA the machine has (AVX-512 emulated
// where built so), with rows padded and packed and with 1, 2, 3 and 5 threads. Each result must be
// within its bound of the reference, bitwise equal for every number of threads and both layouts,
// and leave padding and guard bytes alone.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "ffn/kernels/table.h"

namespace ffn::test {

// 2^-24: the largest relative error of one f32 rounding.
inline constexpr double kUnit = 0x1p-24;

// A matrix in guarded memory. Rows lie `padding` elements apart.
class Operand {
 public:
  Operand(DType dtype, std::int64_t rows, std::int64_t cols, std::int64_t padding);

  kernels::Matrix matrix();
  double get(std::int64_t row, std::int64_t col) const;
  void set(std::int64_t row, std::int64_t col, double value);
  void set(std::span<const double> values);
  std::vector<double> values() const;
  bool intact() const;

 private:
  std::byte* at(std::int64_t row, std::int64_t col);

  DType dtype_;
  std::int64_t rows_, cols_, ld_;
  std::vector<std::byte> bytes_;
};

enum class Role { input, output };

struct OperandSpec {
  DType dtype = DType::f32;
  std::int64_t rows = 0, cols = 0;
  Role role = Role::input;
  std::vector<double> values = {};  // inputs, and outputs that are added to
  // Outputs: the largest allowed |error| of the f32 arithmetic, beside the rounding to storage.
  std::function<double(double expected)> bound = {};
};

struct KernelCase {
  std::string name;
  std::vector<OperandSpec> operands;
  // Calls the kernel on matrices in the order of `operands`.
  std::function<void(const kernels::KernelTable&, const kernels::LaunchContext&,
                     std::span<const kernels::Matrix>)>
      run;
  std::function<std::int64_t(const kernels::KernelTable&)> workspace_bytes =
      [](const kernels::KernelTable&) { return std::int64_t{0}; };
  // When set, once more with operand `alias_output` in the memory of `alias_input`: bitwise equal.
  int alias_output = -1, alias_input = -1;
};

void check_kernel(const KernelCase& c);

// Values that the dtype can hold, ±[0, limit).
std::vector<double> random_values(std::mt19937_64& random, DType dtype, std::int64_t count,
                                  double limit = 2);

struct Size {
  std::int64_t rows, cols;
};
// 1, odd, every lane count ±1, no rows, more than one segment, enough for several threads.
std::vector<Size> usual_sizes();
// Every mixture of f32 and bf16 over that many operands; for large sizes only the two pure ones.
std::vector<std::vector<DType>> storage_types(int operands, Size size);

// A description of a case for its failure messages.
std::string describe(const std::string& what, Size size, const std::vector<DType>& types);

// k·2^-24·max(floor, |expected|).
std::function<double(double)> within(double k, double floor);

// The error of a sum of `terms` f32 terms of at most `magnitude`, by the probabilistic bound
// λ·√d·u·Σ|t| (Higham & Mary 2019, λ = 4): d is the longest chain of additions a term takes part
// in. Along a row: a segment of 512 in four partial sums of at least one lane, and their tree.
double row_sum_error(std::int64_t cols, double magnitude);
// Along a column: a chunk of max(16, rows/64) rows, then up to 64 chunks.
double column_sum_error(std::int64_t rows, double magnitude);

}  // namespace ffn::test
