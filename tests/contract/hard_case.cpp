#include "contract/hard_case.h"

#include "ffn/base/half.h"

namespace ffn::contract {

Tensor HardCase::input(Executor& ex, std::string_view name, const Shape& shape, DType dtype) {
  Tensor tensor = ex.allocate_persistent({shape, dtype, Role::activation}, Tag::data);
  if (ex.dry()) return tensor;
  const RandomStream stream(7, name);
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<double>(to_float(to_bf16(static_cast<float>(stream.normal(0, i)))));
  set_host_values(tensor, values);
  return tensor;
}

Tensor HardCase::indices(Executor& ex, const std::vector<int>& values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  Tensor tensor = ex.allocate_persistent({shape, DType::i32, Role::activation}, Tag::data);
  if (!ex.dry()) set_host_values(tensor, std::vector<double>(values.begin(), values.end()));
  return tensor;
}

void HardCase::finalize(Executor& ex, DType compute) {
  parameters.finalize(ex, compute);
  for (Parameter& parameter : parameters.all()) {
    if (!parameter.trainable() || ex.dry()) continue;
    const RandomStream stream(3, parameter.name);
    std::vector<double> values(static_cast<std::size_t>(parameter.shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto value = static_cast<float>(0.5 * stream.normal(0, i));
      values[i] = static_cast<double>(to_float(to_bf16(value)));
    }
    set_host_values(parameter.master, values);
  }
  parameters.weights_changed(ex);
}

}  // namespace ffn::contract
