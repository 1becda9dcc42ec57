#include "support/op_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ffn/autograd/parameters.h"
#include "ffn/base/allocator.h"
#include "ffn/base/blocks.h"
#include "ffn/base/half.h"
#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

// Guard bytes and poison around every buffer of every test in the program.
class GuardedMemory final : public testing::Environment {
 public:
  void SetUp() override { set_guard_bytes(true); }
};
const auto* const guarded_memory = testing::AddGlobalTestEnvironment(new GuardedMemory);

constexpr std::int64_t kStride = 3;  // extra columns of a strided input

DType storage_dtype(InputKind kind, DType compute) {
  switch (kind) {
    case InputKind::number: return compute;
    case InputKind::statistic:
    case InputKind::state: return gradient_dtype(compute);
    case InputKind::f16: return DType::f16;
    case InputKind::q4_0: return DType::q4_0;
    case InputKind::q8_0: return DType::q8_0;
    case InputKind::index: break;
  }
  return DType::i32;
}

double on_grid(double value, DType grid) {
  const auto rounded = static_cast<float>(value);
  return static_cast<double>(grid == DType::bf16 ? to_float(to_bf16(rounded)) : rounded);
}

void store(const Tensor& tensor, const std::vector<double>& values) {
  if (!is_block(tensor.dtype())) return set_host_values(tensor, values);
  const std::vector<float> narrow(values.begin(), values.end());
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    quantize_row(tensor.dtype(), narrow.data() + row * tensor.cols(), tensor.cols(),
                 tensor.slice_rows(row, 1).data());
  }
}

void store_complex(const Tensor& tensor, const std::vector<Complex>& values) {
  if (!values.empty()) std::copy(values.begin(), values.end(), host_span<Complex>(tensor).begin());
}

std::vector<double> values_of(const CaseInput& input, const RunOptions& options) {
  std::vector<double> values = input_values(input, options.grid);
  if (options.absolute && input.kind != InputKind::index)
    for (double& value : values) value = std::abs(value);
  return values;
}

// A tensor for one input, strided where asked for. Wider rows are filled with NaN outside.
Tensor make_tensor(Executor& ex, const OpCase& op_case, const CaseInput& input,
                   const RunOptions& options) {
  const DType dtype = storage_dtype(input.kind, options.compute);
  if (input.kind == InputKind::state)
    return ex.allocate_persistent({input.shape, dtype, Role::state}, Tag::state);
  const bool wide = options.strided && op_case.any_stride && input.kind == InputKind::number;
  if (!wide) return ex.allocate({input.shape, dtype}, Tag::data);
  const Tensor rows =
      ex.allocate({{input.shape.rows(), input.shape.cols() + kStride}, dtype}, Tag::data);
  if (!ex.dry()) {
    const std::vector<double> nan(static_cast<std::size_t>(rows.shape().count()), std::nan(""));
    set_host_values(rows, nan);
  }
  return rows.slice_cols(1, input.shape.cols()).reshape(input.shape);
}

// The inputs of one run: leaves, parameters, constants and states.
struct Prepared {
  ParameterSet parameters;
  std::vector<Value> values;
  std::vector<State> states;
};

void prepare_parameters(Executor& ex, const OpCase& op_case, const RunOptions& options,
                        Prepared& prepared) {
  for (const CaseInput& input : op_case.inputs) {
    if (!input.differentiable()) continue;
    prepared.parameters.add(input.name, input.shape,
                            {.full_precision = input.kind == InputKind::statistic});
  }
  prepared.parameters.finalize(ex, options.compute);
  if (ex.dry()) return;
  for (const CaseInput& input : op_case.inputs) {
    if (!input.differentiable()) continue;
    set_host_values(prepared.parameters.at(input.name).master, values_of(input, options));
  }
  prepared.parameters.weights_changed(ex);
}

void prepare(Executor& ex, const OpCase& op_case, const RunOptions& options, Prepared& prepared) {
  if (options.as_parameters) prepare_parameters(ex, op_case, options, prepared);
  std::size_t next_point = 0;
  for (const CaseInput& input : op_case.inputs) {
    prepared.states.push_back({});
    if (options.as_parameters && input.differentiable()) {
      prepared.values.push_back(ex.parameter(prepared.parameters.at(input.name)));
      continue;
    }
    Tensor tensor = make_tensor(ex, op_case, input, options);
    if (options.point != nullptr && input.differentiable()) {
      store_complex(tensor, (*options.point)[next_point++]);
    } else if (!ex.dry()) {
      store(tensor, values_of(input, options));
    }
    if (input.kind == InputKind::state) prepared.states.back() = {input.name, tensor, {}};
    const bool leaf = op_case.recorded && input.differentiable() && options.point == nullptr;
    prepared.values.push_back(leaf ? ex.leaf(std::move(tensor)) : ex.constant(std::move(tensor)));
  }
}

void read_gradients(Executor& ex, const OpCase& op_case, const std::vector<Value>& slots,
                    RunResult& result) {
  for (std::size_t i = 0; i < op_case.inputs.size(); ++i) {
    if (!op_case.inputs[i].differentiable()) continue;
    const Tensor gradient = ex.gradient(slots[i]);
    check(gradient.defined(), ErrorKind::config, op_case.full_name(), "no gradient reached ",
          op_case.inputs[i].name);
    result.gradient_dtypes.push_back(gradient.dtype());
    result.gradients.push_back(ex.dry() ? std::vector<double>() : host_values(gradient));
  }
}

void read_output(const Tensor& output, RunResult& result) {
  result.output = host_values(output);
  if (output.dtype() != DType::c128 || output.shape().count() == 0) return;
  const auto* data = output.data_as<const Complex>();
  for (std::int64_t row = 0; row < output.rows(); ++row)
    for (std::int64_t col = 0; col < output.cols(); ++col)
      result.complex_output.push_back(data[row * output.ld() + col]);
}

void read_loss(const Tensor& loss, RunResult& result) {
  result.loss = host_values(loss);
  if (loss.dtype() == DType::c128) result.complex_loss = *loss.data_as<const Complex>();
}

void run_backward(Executor& ex, const OpCase& op_case, const RunOptions& options, Value output) {
  TensorSpec spec = output.tensor.spec();
  spec.role = Role::activation;
  const Tensor seed = ex.allocate(spec, Tag::gradients);
  if (!ex.dry()) {
    std::vector<double> values = seed_values(op_case, spec.shape, options.grid);
    if (options.absolute)
      for (double& value : values) value = std::abs(value);
    set_host_values(seed, values);
  }
  ex.backward(output, seed);
}

}  // namespace

std::vector<double> input_values(const CaseInput& input, DType grid) {
  std::vector<double> values = input.values;
  const bool rounded = input.kind == InputKind::number;
  for (double& value : values) value = on_grid(value, rounded ? grid : DType::f32);
  return values;
}

std::vector<double> seed_values(const OpCase& op_case, const Shape& shape, DType grid) {
  const RandomStream stream(17, op_case.full_name());
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    const auto element = static_cast<std::uint64_t>(i);
    const float magnitude = 0.1f + 1.4f * stream.uniform(0, element);
    const bool negative = (stream.word(1, element) & 1u) != 0;
    values.push_back(on_grid(static_cast<double>(negative ? -magnitude : magnitude), grid));
  }
  return values;
}

RunResult run_case(Executor& ex, const OpCase& op_case, const RunOptions& options) {
  ex.set_training(op_case.training);
  ex.set_recording(op_case.recorded && options.point == nullptr);
  Prepared prepared;
  prepare(ex, op_case, options, prepared);
  // Handles for the gradients alone: they keep no tensor alive.
  std::vector<Value> slots;
  for (const Value& value : prepared.values)
    slots.push_back({Tensor(), value.slot, value.tape_age});

  RunResult result;
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    const bool last = repeat + 1 == options.repeats;
    CaseRun run{ex, {}, prepared.states};
    if (last && !options.keep_handles) {
      run.in = std::move(prepared.values);
    } else {
      run.in = prepared.values;
    }
    Value output = op_case.run(run);
    run.in.clear();
    result.output_shape = output.shape();
    result.output_dtype = output.dtype();
    if (!ex.dry()) read_output(output.tensor, result);
    if (!ex.dry() && run.loss.defined()) read_loss(run.loss, result);
    if (ex.recording() && output.slot != nullptr)
      run_backward(ex, op_case, options, std::move(output));
    for (const State& state : run.states) {
      const Tensor& now = state.pending.defined() ? state.pending : state.tensor;
      if (!now.defined() || ex.dry()) continue;
      const std::vector<double> values = host_values(now);
      result.states.insert(result.states.end(), values.begin(), values.end());
    }
    ex.commit_states();
  }
  if (op_case.wants_gradient() && ex.recording()) read_gradients(ex, op_case, slots, result);
  return result;
}

bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

std::vector<NamedDevice> cpu_devices(ThreadPool& threads) {
  std::vector<NamedDevice> devices;
  for (const Isa isa : supported_isas())
    devices.push_back({cpu_device(threads, isa), std::string(to_string(isa))});
  return devices;
}

}  // namespace ffn::test
