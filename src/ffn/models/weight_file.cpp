#include "ffn/models/weight_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/base/half.h"
#include "ffn/io/safetensors.h"
#include "ffn/tensor/host.h"
#include "ffn/tensor/mapped.h"

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
double load(const std::byte* bytes, std::size_t index) {
  Stored value;
  std::memcpy(&value, bytes + index * sizeof(Stored), sizeof(Stored));
  if constexpr (std::is_same_v<Stored, Bf16> || std::is_same_v<Stored, F16>) {
    return static_cast<double>(to_float(value));
  } else {
    return static_cast<double>(value);
  }
}

bool is_readable(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::bf16 ||
         dtype == DType::f16 || is_block(dtype);
}

NamedTensor named(const StoredTensor& tensor, const StorageRef& storage) {
  NamedTensor named{tensor.name, tensor.dtype_name, tensor.shape};
  if (!tensor.dtype || !is_readable(*tensor.dtype)) return named;
  std::int64_t count = 1;
  for (const std::int64_t axis : tensor.shape) count *= axis;
  const std::int64_t cols = tensor.shape.empty() ? 1 : tensor.shape.back();
  const TensorSpec spec{{cols > 0 ? count / cols : 0, cols}, *tensor.dtype, Role::parameter};
  named.tensor = Tensor(storage, spec, tensor.offset_bytes, cols);
  return named;
}

std::vector<NamedTensor> tensors_of(const TensorSource& source) {
  std::vector<StorageRef> storages;
  for (const auto& file : source.files()) storages.push_back(mapped_storage(file));
  std::vector<NamedTensor> tensors;
  for (const StoredTensor& tensor : source.tensors())
    tensors.push_back(named(tensor, storages[tensor.file]));
  return tensors;
}

// Rows become columns.
std::vector<double> turned(const std::vector<double>& values, std::int64_t rows) {
  if (rows == 0) return values;
  const auto R = static_cast<std::size_t>(rows), C = values.size() / R;
  std::vector<double> result(values.size());
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t c = 0; c < C; ++c) result[c * R + r] = values[r * C + c];
  return result;
}

bool is_harmless(std::string_view name, HarmlessNames harmless) {
  return std::ranges::any_of(harmless, [&](std::string_view end) { return name.ends_with(end); });
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

std::string place_text(const StoredWeight& weight) {
  const std::string& name =
      weight.parameter != nullptr ? weight.parameter->name : weight.state->name;
  if (weight.transposed) return name + ", transposed";
  if (weight.rows == 0) return name;
  return "rows " + std::to_string(weight.row) + " to " + std::to_string(weight.row + weight.rows) +
         " of " + name;
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

std::vector<double> values_of(const Tensor& tensor) {
  if (is_block(tensor.dtype()) || !tensor.contiguous()) return host_values(tensor);
  std::vector<double> values(static_cast<std::size_t>(tensor.shape().count()));
  const std::byte* bytes = tensor.data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    switch (tensor.dtype()) {
      case DType::f32: values[i] = load<float>(bytes, i); break;
      case DType::f64: values[i] = load<double>(bytes, i); break;
      case DType::bf16: values[i] = load<Bf16>(bytes, i); break;
      default: values[i] = load<F16>(bytes, i);
    }
  }
  return values;
}

WeightFile::WeightFile(const TensorSource& source)
    : WeightFile(source.path(), tensors_of(source)) {}

WeightFile::WeightFile(std::string where, std::vector<NamedTensor> tensors)
    : where_(std::move(where)), tensors_(std::move(tensors)) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_[tensors_[i].name] = i;
}

const NamedTensor& WeightFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  check(found != by_name_.end(), ErrorKind::io, where_, "has no tensor '", name, "'");
  return tensors_[found->second];
}

void WeightFile::check_fits(const NamedTensor& tensor, const StoredWeight& weight) const {
  check(std::ranges::equal(tensor.shape, weight.shape), ErrorKind::io, where_, "'", tensor.name,
        "' is ", axes(tensor.shape), "; the model's configuration asks for ", axes(weight.shape));
  check(tensor.tensor.defined(), ErrorKind::io, where_, "'", tensor.name, "' holds ",
        tensor.dtype_name, "; expected F32, BF16, F16 or F64");
}

const NamedTensor& WeightFile::at(const StoredWeight& weight) const {
  const bool other = !weight.other_name.empty() && !by_name_.contains(weight.name) &&
                     by_name_.contains(weight.other_name);
  const NamedTensor& tensor = find(other ? weight.other_name : weight.name);
  check_fits(tensor, weight);
  return tensor;
}

void WeightFile::fill(Executor& ex, const StoredWeight& weight, const NamedTensor& tensor) const {
  if (ex.dry()) return;
  std::vector<double> values = values_of(tensor.tensor);
  if (weight.transposed && !fault(801)) values = turned(values, weight.shape[0]);
  set_host_values(weight.tensor(), values);
}

void WeightFile::read(Executor& ex, const StoredWeight& weight, const std::string& name) const {
  const NamedTensor& tensor = find(name);
  check_fits(tensor, weight);
  fill(ex, weight, tensor);
}

void WeightFile::read(Executor& ex, const StoredWeight& weight) const {
  fill(ex, weight, at(weight));
}

void WeightFile::check_used(const std::set<std::string>& used, HarmlessNames harmless) const {
  for (const NamedTensor& tensor : tensors_)
    check(used.contains(tensor.name) || is_harmless(tensor.name, harmless), ErrorKind::io, where_,
          "'", tensor.name, "' has no place in the model that config.json describes");
}

void read_weights(Executor& ex, const WeightFile& file, std::span<const StoredWeight> weights,
                  HarmlessNames harmless) {
  std::set<std::string> used;
  for (const StoredWeight& weight : weights) {
    file.read(ex, weight);
    used.insert(file.at(weight).name);
  }
  file.check_used(used, harmless);
}

std::vector<WeightUse> weight_uses(const WeightFile& file, std::span<const StoredWeight> weights,
                                   HarmlessNames harmless) {
  std::map<std::string, std::string> places;
  for (const StoredWeight& weight : weights) places[file.at(weight).name] = place_text(weight);
  std::vector<WeightUse> uses;
  for (const NamedTensor& tensor : file.tensors()) {
    WeightUse& use = uses.emplace_back(WeightUse{tensor.name, ""});
    if (const auto place = places.find(tensor.name); place != places.end()) {
      use.became = place->second;
    } else if (is_harmless(tensor.name, harmless)) {
      use.became = "nothing: a buffer";
    }
  }
  return uses;
}

void write_weights(const std::string& path, std::span<const StoredWeight> weights) {
  std::vector<std::vector<float>> values;
  std::vector<SafetensorsSource> sources;
  values.reserve(weights.size());
  for (const StoredWeight& weight : weights) {
    const Tensor& tensor = weight.tensor();
    std::vector<double> exact = host_values(tensor);
    if (weight.transposed) exact = turned(exact, tensor.rows());
    std::vector<float>& rounded = values.emplace_back(exact.size());
    std::ranges::transform(exact, rounded.begin(),
                           [](double value) { return static_cast<float>(value); });
    sources.push_back(
        {weight.name, DType::f32, weight.shape, std::as_bytes(std::span<const float>(rounded))});
  }
  write_safetensors(path, sources, {{"format", "pt"}});
}

}  // namespace ffn::inline v0
