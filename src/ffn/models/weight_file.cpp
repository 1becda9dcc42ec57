#include "ffn/models/weight_file.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/half.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

std::string axes(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t axis : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(axis);
  }
  return text + "]";
}

template <class Stored>
Stored load(std::span<const std::byte> bytes, std::size_t index) {
  Stored value;
  std::memcpy(&value, bytes.data() + index * sizeof(Stored), sizeof(Stored));
  return value;
}

double value_at(std::span<const std::byte> bytes, DType dtype, std::size_t index) {
  switch (dtype) {
    case DType::f32: return static_cast<double>(load<float>(bytes, index));
    case DType::f64: return load<double>(bytes, index);
    case DType::bf16: return static_cast<double>(to_float(load<Bf16>(bytes, index)));
    case DType::f16: return static_cast<double>(to_float(load<F16>(bytes, index)));
    default: return 0;
  }
}

bool holds_floats(const StoredTensor& tensor) {
  return tensor.dtype == DType::f32 || tensor.dtype == DType::f64 || tensor.dtype == DType::bf16 ||
         tensor.dtype == DType::f16;
}

// A parameter's rows in equal parts. Biases are kept as a row each.
void add_blocks(std::vector<StoredWeight>& stored, Parameter& parameter) {
  const std::vector<std::string>& names = parameter.options.block_names;
  const std::int64_t rows = parameter.shape.rows() / static_cast<std::int64_t>(names.size());
  const bool vectors = rows == 1 && names.front().ends_with(".bias");
  for (std::size_t block = 0; block < names.size(); ++block) {
    StoredWeight weight{names[block], {}, &parameter};
    if (!vectors) weight.shape.push_back(rows);
    weight.shape.push_back(parameter.shape.cols());
    weight.row = static_cast<std::int64_t>(block) * rows;
    weight.rows = rows;
    stored.push_back(std::move(weight));
  }
}

}  // namespace

std::vector<StoredWeight> stored_weights_of(ParameterSet& parameters) {
  std::vector<StoredWeight> stored;
  for (Parameter& parameter : parameters.all()) {
    if (!parameter.options.block_names.empty()) {
      add_blocks(stored, parameter);
      continue;
    }
    StoredWeight weight{parameter.name, {}, &parameter};
    for (int axis = 0; axis < parameter.shape.rank(); ++axis)
      weight.shape.push_back(parameter.shape[axis]);
    stored.push_back(std::move(weight));
  }
  for (State& state : parameters.states())
    for (std::size_t row = 0; row < state.row_names.size(); ++row)
      stored.push_back({state.row_names[row],
                        {state.shape.cols()},
                        nullptr,
                        &state,
                        static_cast<std::int64_t>(row),
                        1});
  return stored;
}

void WeightFile::read(Executor& ex, const StoredWeight& weight, const std::string& name) const {
  const StoredTensor& tensor = file_.at(name);
  check(std::ranges::equal(tensor.shape, weight.shape), ErrorKind::io, path_, "'", name, "' is ",
        axes(tensor.shape), "; the model's configuration asks for ", axes(weight.shape));
  check(holds_floats(tensor), ErrorKind::io, path_, "'", name, "' holds ", tensor.dtype_name,
        "; expected F32, BF16, F16 or F64");
  if (ex.dry()) return;
  const std::span<const std::byte> bytes = file_.data(tensor);
  std::vector<double> values(static_cast<std::size_t>(weight.tensor().shape().count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_at(bytes, *tensor.dtype, i);
  set_host_values(weight.tensor(), values);
}

void WeightFile::check_used(const std::set<std::string>& used) const {
  for (const StoredTensor& tensor : file_.tensors())
    check(used.contains(tensor.name), ErrorKind::io, path_, "'", tensor.name,
          "' has no place in the model that config.json describes");
}

void read_weights(Executor& ex, const std::string& path, std::span<const StoredWeight> weights) {
  const WeightFile file(path);
  std::set<std::string> used;
  for (const StoredWeight& weight : weights) {
    file.read(ex, weight, weight.name);
    used.insert(weight.name);
  }
  file.check_used(used);
}

void write_weights(const std::string& path, std::span<const StoredWeight> weights) {
  std::vector<std::vector<float>> values;
  std::vector<SafetensorsSource> sources;
  values.reserve(weights.size());
  for (const StoredWeight& weight : weights) {
    const std::vector<double> exact = host_values(weight.tensor());
    std::vector<float>& rounded = values.emplace_back(exact.size());
    std::ranges::transform(exact, rounded.begin(),
                           [](double value) { return static_cast<float>(value); });
    sources.push_back(
        {weight.name, DType::f32, weight.shape, std::as_bytes(std::span<const float>(rounded))});
  }
  write_safetensors(path, sources, {{"format", "pt"}});
}

}  // namespace ffn::inline v0
