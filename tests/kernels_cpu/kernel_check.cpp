#include "kernels_cpu/kernel_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include <gtest/gtest.h>

#include "ffn/base/half.h"
#include "ffn/base/thread_pool.h"

namespace ffn::test {
namespace {

constexpr std::int64_t kGuard = 64;
constexpr std::byte kPattern{0xA5};  // as f32, bf16 and f16 a small negative number

double read(const std::byte* from, DType dtype) {
  const auto load = [&]<class T>(T value) {
    std::memcpy(&value, from, sizeof value);
    return value;
  };
  switch (dtype) {
    case DType::f64: return load(0.0);
    case DType::bf16: return static_cast<double>(to_float(load(Bf16{})));
    case DType::f16: return static_cast<double>(to_float(load(F16{})));
    case DType::i32: return load(std::int32_t{0});
    default: return static_cast<double>(load(0.0f));
  }
}

void write(std::byte* to, DType dtype, double value) {
  const auto store = [&](auto stored) { std::memcpy(to, &stored, sizeof stored); };
  const auto narrow = static_cast<float>(value);
  switch (dtype) {
    case DType::f64: return store(value);
    case DType::bf16: return store(to_bf16(narrow));
    case DType::f16: return store(to_f16(narrow));
    case DType::i32: return store(static_cast<std::int32_t>(value));
    default: return store(narrow);
  }
}

// Half a unit in the last place of the storage type: the error of one rounding to it.
double storage_rounding(DType dtype, double value) {
  const double relative = dtype == DType::bf16 ? 0x1p-8 : dtype == DType::f16 ? 0x1p-11 : kUnit;
  const double smallest = dtype == DType::f16 ? 0x1p-25 : 0x1p-134;
  return std::max(std::abs(value) * relative, smallest);
}

struct Outcome {
  std::vector<std::vector<double>> outputs;
  bool intact = true;
};

struct Setting {
  std::int64_t padding = 0;
  ThreadPool* threads = nullptr;
  bool in_double = false, aliased = false;
};

Outcome run_case(const KernelCase& c, const kernels::KernelTable& table, const Setting& setting) {
  std::vector<Operand> operands;
  std::vector<kernels::Matrix> matrices;
  for (const OperandSpec& spec : c.operands) {
    const bool wide = setting.in_double && spec.role == Role::output && is_float(spec.dtype);
    operands.emplace_back(wide ? DType::f64 : spec.dtype, spec.rows, spec.cols, setting.padding);
    if (!spec.values.empty()) operands.back().set(spec.values);
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool alias = setting.aliased && static_cast<int>(i) == c.alias_output;
    matrices.push_back(operands[alias ? static_cast<std::size_t>(c.alias_input) : i].matrix());
  }
  const auto bytes = static_cast<std::size_t>(c.workspace_bytes(table));
  // Filled with signalling garbage: a kernel must not count on zeros.
  std::vector<std::byte> workspace(bytes + 64 + kGuard, std::byte{0xFF});
  void* start = workspace.data();
  std::size_t space = workspace.size();
  auto* aligned = static_cast<std::byte*>(std::align(64, bytes, start, space));
  c.run(table, {setting.threads, aligned, static_cast<std::int64_t>(bytes)}, matrices);
  Outcome outcome;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    outcome.intact = outcome.intact && operands[i].intact();
    if (c.operands[i].role != Role::output) continue;
    const bool alias = setting.aliased && static_cast<int>(i) == c.alias_output;
    outcome.outputs.push_back(
        operands[alias ? static_cast<std::size_t>(c.alias_input) : i].values());
  }
  outcome.intact = outcome.intact && std::all_of(aligned + bytes, aligned + bytes + kGuard / 2,
                                                 [](std::byte b) { return b == std::byte{0xFF}; });
  return outcome;
}

bool same_bits(const Outcome& a, const Outcome& b) {
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    const std::size_t bytes = a.outputs[i].size() * sizeof(double);
    if (bytes != 0 && std::memcmp(a.outputs[i].data(), b.outputs[i].data(), bytes) != 0) {
      return false;
    }
  }
  return true;
}

void expect_close(const KernelCase& c, const Outcome& got, const Outcome& expected) {
  std::size_t output = 0;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    const OperandSpec& spec = c.operands[i];
    if (spec.role != Role::output) continue;
    const std::vector<double>&x = got.outputs[output], &y = expected.outputs[output];
    ++output;
    double worst = 0;
    std::size_t where = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double bound = spec.bound(y[j]) + storage_rounding(spec.dtype, y[j]);
      const double excess = std::abs(x[j] - y[j]) / bound;
      const bool equal = x[j] == y[j] || (std::isnan(x[j]) && std::isnan(y[j]));
      if (!equal && !(excess <= worst)) {
        worst = std::isnan(excess) ? HUGE_VAL : excess;
        where = j;
      }
    }
    EXPECT_LE(worst, 1) << "operand " << i << " at row "
                        << static_cast<std::int64_t>(where) / std::max<std::int64_t>(spec.cols, 1)
                        << " col "
                        << static_cast<std::int64_t>(where) % std::max<std::int64_t>(spec.cols, 1)
                        << ": " << (x.empty() ? 0 : x[where]) << ", reference "
                        << (y.empty() ? 0 : y[where]);
  }
}

ThreadPool* pool(int threads) {
  static const std::unique_ptr<ThreadPool> two = make_thread_pool(2), three = make_thread_pool(3),
                                           five = make_thread_pool(5);
  return threads == 2   ? two.get()
         : threads == 3 ? three.get()
         : threads == 5 ? five.get()
                        : nullptr;
}

}  // namespace

Operand::Operand(DType dtype, std::int64_t rows, std::int64_t cols, std::int64_t padding)
    : dtype_(dtype), rows_(rows), cols_(cols), ld_(cols + padding) {
  bytes_.assign(static_cast<std::size_t>(2 * kGuard + dtype_bytes(dtype, rows * ld_)), kPattern);
}

kernels::Matrix Operand::matrix() { return {bytes_.data() + kGuard, dtype_, rows_, cols_, ld_}; }

std::byte* Operand::at(std::int64_t row, std::int64_t col) {
  return bytes_.data() + kGuard + dtype_bytes(dtype_, row * ld_ + col);
}

double Operand::get(std::int64_t row, std::int64_t col) const {
  return read(bytes_.data() + kGuard + dtype_bytes(dtype_, row * ld_ + col), dtype_);
}

void Operand::set(std::int64_t row, std::int64_t col, double value) {
  write(at(row, col), dtype_, value);
}

void Operand::set(std::span<const double> values) {
  ASSERT_EQ(static_cast<std::int64_t>(values.size()), rows_ * cols_);
  for (std::int64_t row = 0; row < rows_; ++row) {
    for (std::int64_t col = 0; col < cols_; ++col) {
      set(row, col, values[static_cast<std::size_t>(row * cols_ + col)]);
    }
  }
}

std::vector<double> Operand::values() const {
  std::vector<double> all;
  for (std::int64_t row = 0; row < rows_; ++row) {
    for (std::int64_t col = 0; col < cols_; ++col) all.push_back(get(row, col));
  }
  return all;
}

bool Operand::intact() const {
  const auto untouched = [&](std::int64_t begin, std::int64_t end) {
    return std::all_of(bytes_.begin() + begin, bytes_.begin() + end,
                       [](std::byte byte) { return byte == kPattern; });
  };
  const std::int64_t row_bytes = dtype_bytes(dtype_, ld_);
  bool result = untouched(0, kGuard) &&
                untouched(kGuard + rows_ * row_bytes, static_cast<std::int64_t>(bytes_.size()));
  for (std::int64_t row = 0; row < rows_; ++row) {
    const std::int64_t begin = kGuard + row * row_bytes;
    result = result && untouched(begin + dtype_bytes(dtype_, cols_), begin + row_bytes);
  }
  return result;
}

void check_kernel(const KernelCase& c) {
  SCOPED_TRACE(c.name);
  const Outcome expected = run_case(c, kernels::reference_table(), {.in_double = true});
  for (const Isa isa : supported_isas()) {
    SCOPED_TRACE(std::string(to_string(isa)));
    const kernels::KernelTable& table = kernels::cpu_table(isa);
    const Outcome first = run_case(c, table, {});
    expect_close(c, first, expected);
    EXPECT_TRUE(first.intact) << "wrote outside its operands";
    for (const std::int64_t padding : {0, 5}) {
      for (const int threads : {1, 2, 3, 5}) {
        const Outcome again = run_case(c, table, {.padding = padding, .threads = pool(threads)});
        EXPECT_TRUE(again.intact) << "wrote outside its operands, padding " << padding;
        EXPECT_TRUE(same_bits(first, again)) << threads << " threads, padding " << padding;
      }
    }
    if (c.alias_output < 0) continue;
    EXPECT_TRUE(same_bits(first, run_case(c, table, {.padding = 5, .aliased = true})))
        << "differs in place";
  }
}

std::vector<double> random_values(std::mt19937_64& random, DType dtype, std::int64_t count,
                                  double limit) {
  std::uniform_real_distribution<double> distribution(-limit, limit);
  std::vector<double> values;
  std::byte bytes[sizeof(double)];
  for (std::int64_t i = 0; i < count; ++i) {
    write(bytes, dtype, distribution(random));
    values.push_back(read(bytes, dtype));
  }
  return values;
}

std::vector<Size> usual_sizes() {
  std::vector<Size> sizes = {{0, 7}, {3, 0}, {1, 1}, {5, 3}, {2, 513}, {3, 1030}, {67, 700}};
  for (const std::int64_t lanes : {8, 16}) {
    for (std::int64_t cols = lanes - 1; cols <= lanes + 1; ++cols) sizes.push_back({3, cols});
  }
  return sizes;
}

std::vector<std::vector<DType>> storage_types(int operands, Size size) {
  std::vector<std::vector<DType>> all;
  const int last = (1 << operands) - 1;
  for (int mixture = 0; mixture <= last; ++mixture) {
    if (size.rows * size.cols > 10000 && mixture != 0 && mixture != last) continue;
    std::vector<DType> types;
    for (int i = 0; i < operands; ++i) {
      types.push_back((mixture >> i & 1) != 0 ? DType::bf16 : DType::f32);
    }
    all.push_back(types);
  }
  return all;
}

std::string describe(const std::string& what, Size size, const std::vector<DType>& types) {
  std::string text = what;
  text.append(" [").append(std::to_string(size.rows)).append(", ");
  text.append(std::to_string(size.cols)).append("]");
  for (const DType type : types) text.append(" ").append(to_string(type));
  return text;
}

std::function<double(double)> within(double k, double floor) {
  return [=](double expected) { return k * kUnit * std::max(floor, std::abs(expected)); };
}

double row_sum_error(std::int64_t cols, double magnitude) {
  const auto terms = static_cast<double>(cols);
  return 4 * std::sqrt(std::min(terms, 512.0) / 4 + 8) * kUnit * terms * magnitude;
}

double column_sum_error(std::int64_t rows, double magnitude) {
  const auto terms = static_cast<double>(rows);
  const double chain = std::max(16.0, terms / 64) + std::min(64.0, terms / 16);
  return 4 * std::sqrt(chain) * kUnit * terms * magnitude;
}

}  // namespace ffn::test
