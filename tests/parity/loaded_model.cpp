#include "loaded_model.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "ffn/base/half.h"
#include "ffn/io/safetensors.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"

namespace ffn::parity {

namespace {

template <class Stored>
std::vector<std::byte> bytes_of(const std::vector<double>& values, Stored (*convert)(float)) {
  std::vector<std::byte> bytes(values.size() * sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored stored = convert(static_cast<float>(values[i]));
    std::memcpy(bytes.data() + i * sizeof(Stored), &stored, sizeof(Stored));
  }
  return bytes;
}

std::vector<std::byte> bytes_of(const std::vector<double>& values, DType dtype) {
  if (dtype == DType::bf16) return bytes_of<Bf16>(values, to_bf16);
  if (dtype == DType::f16) return bytes_of<F16>(values, to_f16);
  return bytes_of<float>(values, [](float value) { return value; });
}

}  // namespace

void write_folder(const Fixture& fixture, const std::filesystem::path& folder, DType dtype) {
  const std::string quoted = fixture.text("attr.config");
  testing_io::write_file(folder / "config.json",
                         testing_io::to_bytes(quoted.substr(1, quoted.size() - 2)));
  std::vector<std::vector<std::byte>> values;
  std::vector<SafetensorsSource> sources;
  values.reserve(fixture.arrays().size());
  for (const auto& [key, array] : fixture.arrays()) {
    const std::string name = key.substr(3);
    constexpr std::string_view kInputs[] = {"images", "ids", "labels", "types", "offsets"};
    if (!key.starts_with("in.") || std::ranges::find(kInputs, name) != std::end(kInputs)) continue;
    const DType stored = array.shape.rank() == 2 ? dtype : DType::f32;
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < array.shape.rank(); ++axis) shape.push_back(array.shape[axis]);
    sources.push_back({name, stored, shape, values.emplace_back(bytes_of(array.values, stored))});
  }
  write_safetensors((folder / "model.safetensors").string(), sources, {{"format", "pt"}});
}

AdamWOptions adamw_options_of(const Fixture& fixture) {
  return {.learning_rate = fixture.number("learning_rate"),
          .beta1 = fixture.number("beta1"),
          .beta2 = fixture.number("beta2"),
          .eps = fixture.number("eps"),
          .weight_decay = fixture.number("weight_decay")};
}

std::vector<double> adamw_losses(Executor& ex, const Fixture& fixture, ParameterSet& parameters,
                                 const Tensor& labels, const std::function<Value()>& logits) {
  AdamW optimizer(ex, parameters, adamw_options_of(fixture));
  std::vector<double> losses;
  for (std::int64_t step = 0; step < fixture.integer("steps"); ++step) {
    const StepScope scope(ex);
    parameters.reset_gradients();
    const Value loss = cross_entropy(ex, logits(), labels);
    ex.backward(loss);
    losses.push_back(host_values(loss.tensor).at(0));
    optimizer.step();
  }
  return losses;
}

}  // namespace ffn::parity
