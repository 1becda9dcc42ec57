#include "ffn/autograd/parameters.h"

#include <algorithm>
#include <utility>

#include "ffn/base/check.h"
#include "ffn/base/error.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

// 32 elements are 128 bytes of f32 and 64 of bf16: both arenas stay aligned at the same offsets.
constexpr std::int64_t kElementAlignment = 32;

std::int64_t padded(std::int64_t elements) {
  return (elements + kElementAlignment - 1) / kElementAlignment * kElementAlignment;
}

Tensor arena_view(const Tensor& arena, std::int64_t element, const Shape& shape) {
  const TensorSpec spec{shape, arena.dtype(), Role::parameter};
  return {arena.storage(), spec, dtype_bytes(arena.dtype(), element), shape.cols()};
}

void zero(Executor& executor, const Tensor& tensor) {
  if (executor.dry()) return;
  executor.device().kernels->fill({executor.device().threads, nullptr, 0}, {tensor.matrix(), 0.0f});
}

void allocate(Executor& executor, State& state, DType dtype) {
  state.tensor = executor.allocate_persistent({state.shape, dtype, Role::state}, Tag::state);
  if (executor.dry()) return;
  std::vector<double> values;
  for (const double first : state.first_rows)
    values.insert(values.end(), static_cast<std::size_t>(state.shape.cols()), first);
  set_host_values(state.tensor, values);
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t length = 0;
  while (length < limit && a[length] == b[length]) ++length;
  return length;
}

}  // namespace

Parameter& ParameterSet::insert(std::string_view name) {
  check(!finalized_, ErrorKind::config, "parameters", "'", name, "' comes after finalize()");
  check(find(name) == nullptr, ErrorKind::config, "parameters", "'", name, "' exists already");
  Parameter& parameter = parameters_.emplace_back();
  parameter.name = name;
  return parameter;
}

Parameter& ParameterSet::add(std::string_view name, const Shape& shape,
                             const ParameterOptions& options) {
  Parameter& parameter = insert(name);
  parameter.shape = shape;
  parameter.options = options;
  if (!options.frozen) parameter.slot.parameter = &parameter;
  return parameter;
}

Parameter& ParameterSet::add_frozen(std::string_view name, Tensor tensor) {
  Parameter& parameter = insert(name);
  parameter.shape = tensor.shape();
  parameter.value = tensor.with_role(Role::parameter);
  return parameter;
}

void ParameterSet::place(Parameter& parameter, const Tensor& tensor) {
  check(!finalized_, ErrorKind::config, "parameters", "'", parameter.name,
        "' is placed after finalize()");
  check(tensor.rows() == parameter.shape.rows() && tensor.cols() == parameter.shape.cols(),
        ErrorKind::shape, "parameters", "'", parameter.name, "' is ", parameter.shape,
        "; it cannot be placed at ", tensor.shape());
  parameter.options.frozen = false;  // which would want room in an arena
  parameter.slot.parameter = nullptr;
  parameter.value = tensor.with_role(Role::parameter);
  ++parameter.version;
}

void ParameterSet::tie(std::string_view name, Parameter& parameter) {
  check(find(name) == nullptr, ErrorKind::config, "parameters", "'", name, "' exists already");
  parameter.tied_names.emplace_back(name);
}

State& ParameterSet::add_state(std::string_view name, std::int64_t cols,
                               std::vector<double> first_rows, std::vector<std::string> row_names) {
  check(!finalized_, ErrorKind::config, "parameters", "'", name, "' comes after finalize()");
  const bool taken =
      std::ranges::any_of(states_, [&](const State& state) { return state.name == name; });
  check(!taken, ErrorKind::config, "parameters", "'", name, "' exists already");
  FFN_ASSERT(first_rows.size() == row_names.size());
  State& state = states_.emplace_back();
  state.name = name;
  state.shape = {static_cast<std::int64_t>(first_rows.size()), cols};
  state.first_rows = std::move(first_rows);
  state.row_names = std::move(row_names);
  return state;
}

void ParameterSet::finalize(Executor& executor, DType compute, bool with_gradients) {
  check(!finalized_, ErrorKind::config, "parameters", "finalize() was called before");
  check(compute == DType::f32 || compute == DType::bf16 || compute == DType::f64 ||
            compute == DType::c128,
        ErrorKind::dtype, "parameters", "cannot train in ", to_string(compute));
  finalized_ = true;
  compute_ = compute;

  std::vector<std::pair<Parameter*, std::int64_t>> places;
  for (const bool decay : {true, false}) {
    for (Parameter& parameter : parameters_) {
      if (parameter.slot.parameter == nullptr || parameter.options.decay != decay) continue;
      places.emplace_back(&parameter, elements_);
      elements_ += padded(parameter.shape.count());
    }
    if (decay) decayed_elements_ = elements_;
  }

  const DType master = gradient_dtype(compute);
  const TensorSpec flat{{1, elements_}, master, Role::parameter};
  weights_ = executor.allocate_persistent(flat, Tag::parameters);
  zero(executor, weights_);
  if (with_gradients && compute != DType::c128) {
    gradients_ = executor.allocate_persistent(flat, Tag::gradients);
    zero(executor, gradients_);
  }
  if (compute == DType::bf16) {
    shadow_ = executor.allocate_persistent({{1, elements_}, DType::bf16, Role::parameter},
                                           Tag::parameters);
    zero(executor, shadow_);
  }
  for (const auto& [parameter, element] : places) {
    parameter->master = arena_view(weights_, element, parameter->shape);
    const bool shadowed = shadow_.defined() && !parameter->options.full_precision;
    parameter->value =
        shadowed ? arena_view(shadow_, element, parameter->shape) : parameter->master;
    if (!gradients_.defined()) continue;
    parameter->slot.gradient = arena_view(gradients_, element, parameter->shape);
    parameter->slot.spec = parameter->slot.gradient.spec();
  }
  allocate_frozen(executor, compute);
  for (State& state : states_) allocate(executor, state, master);
}

void ParameterSet::allocate_frozen(Executor& executor, DType compute) {
  std::int64_t elements = 0;
  for (const Parameter& parameter : parameters_)
    if (parameter.options.frozen) elements += padded(parameter.shape.count());
  if (elements == 0) return;
  frozen_ =
      executor.allocate_persistent({{1, elements}, compute, Role::parameter}, Tag::parameters);
  zero(executor, frozen_);
  elements = 0;
  for (Parameter& parameter : parameters_) {
    if (!parameter.options.frozen) continue;
    parameter.value = arena_view(frozen_, elements, parameter.shape);
    elements += padded(parameter.shape.count());
  }
}

Parameter* ParameterSet::find(std::string_view name) {
  for (Parameter& parameter : parameters_) {
    const auto& tied = parameter.tied_names;
    if (parameter.name == name || std::find(tied.begin(), tied.end(), name) != tied.end()) {
      return &parameter;
    }
  }
  return nullptr;
}

Parameter& ParameterSet::at(std::string_view name) {
  if (Parameter* found = find(name)) return *found;
  std::string_view nearest = "(none)";
  std::size_t best = 0;
  for (const Parameter& parameter : parameters_) {
    const std::size_t length = common_prefix(parameter.name, name);
    if (length > best) {
      best = length;
      nearest = parameter.name;
    }
  }
  fail(ErrorKind::config, "parameters", "no parameter '", name, "'; the nearest name is '", nearest,
       "'");
}

void ParameterSet::reset_gradients() {
  for (Parameter& parameter : parameters_) parameter.slot.defined = false;
}

void ParameterSet::complete_gradients(Executor& executor) {
  for (Parameter& parameter : parameters_) {
    if (!parameter.trainable() || parameter.slot.defined) continue;
    zero(executor, parameter.slot.gradient);
    parameter.slot.defined = true;
  }
}

void ParameterSet::weights_changed(Executor& executor, bool shadow_written) {
  if (shadow_.defined() && !shadow_written && !executor.dry()) {
    executor.device().kernels->copy({executor.device().threads, nullptr, 0},
                                    {weights_.matrix(), shadow_.matrix(), 1, false});
  }
  for (Parameter& parameter : parameters_)
    parameter.version += parameter.trainable() || parameter.options.frozen ? 1 : 0;
}

}  // namespace ffn::inline v0
