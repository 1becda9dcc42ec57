// Vision Transformers against transformers' own: read as a Hugging Face folder, logits, and ten
// steps of training.
#include <algorithm>

#include "case_run.h"
#include "ffn/io/safetensors.h"
#include "ffn/models/vit_folder.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"
#include "ffn/train/adamw.h"
#include "io/files.h"

namespace ffn::parity {
namespace {

// The fixture's checkpoint as transformers would have written it.
void write_folder(const Fixture& fixture, const std::filesystem::path& folder) {
  const std::string quoted = fixture.text("attr.config");
  testing_io::write_file(folder / "config.json",
                         testing_io::to_bytes(quoted.substr(1, quoted.size() - 2)));
  std::vector<std::vector<float>> values;
  std::vector<SafetensorsSource> sources;
  values.reserve(fixture.arrays().size());
  for (const auto& [key, array] : fixture.arrays()) {
    const std::string name = key.substr(3);
    if (!key.starts_with("in.") || name == "images" || name == "labels") continue;
    std::vector<float>& floats = values.emplace_back(array.values.begin(), array.values.end());
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < array.shape.rank(); ++axis) shape.push_back(array.shape[axis]);
    sources.push_back({name, DType::f32, shape, std::as_bytes(std::span<const float>(floats))});
  }
  write_safetensors((folder / "model.safetensors").string(), sources, {{"format", "pt"}});
}

class Loaded {
 public:
  Loaded(Executor& ex, const Fixture& fixture, DType dtype) {
    write_folder(fixture, folder_.path());
    model_ = std::make_unique<VisionTransformer>(read_vit_config(folder_.path().string()),
                                                 parameters, 1, standard_designs());
    parameters.finalize(ex, dtype);
    read_vit_weights(ex, folder_.path().string(), *model_, parameters);
  }
  const VisionTransformer& model() const { return *model_; }

  ParameterSet parameters;

 private:
  testing_io::TemporaryFolder folder_;
  std::unique_ptr<VisionTransformer> model_;
};

AdamWOptions options_of(const Fixture& fixture) {
  return {.learning_rate = fixture.number("learning_rate"),
          .beta1 = fixture.number("beta1"),
          .beta2 = fixture.number("beta2"),
          .eps = fixture.number("eps"),
          .weight_decay = fixture.number("weight_decay")};
}

class VitParity : public testing::TestWithParam<std::tuple<Place, std::string>> {
 protected:
  const Place& place() const { return std::get<0>(GetParam()); }
  static Fixture fixture(const std::string& name) {
    return Fixture(std::filesystem::path(FFN_FIXTURES) / "models" / (name + ".safetensors"));
  }
};

TEST_P(VitParity, Logits) {
  const Fixture file = fixture(std::get<1>(GetParam()));
  Executor ex(place().device());
  const Loaded loaded(ex, file, place().dtype());
  const NoTape no_tape(ex);
  CaseRun inputs(ex, file, place().dtype());
  const Tensor logits = loaded.model().logits(ex, inputs.input("images")).tensor;
  // 1e-5 of the largest logit is what every model promises at f32.
  const double allowed = std::min(1e-5, tolerance(file, "out.logits", place()));
  expect_close(file.at("out.logits"), host_values(logits), allowed, "logits");
}

INSTANTIATE_TEST_SUITE_P(
    Models, VitParity,
    testing::Combine(testing::ValuesIn(places()),
                     testing::Values("vit", "vit_no_qkv_bias", "deit", "deit_teacher")),
    [](const auto& test) { return std::get<0>(test.param).name + "_" + std::get<1>(test.param); });

class VitCurve : public testing::TestWithParam<std::tuple<Place, MemoryMode>> {};

TEST_P(VitCurve, TenStepsUnderAdamWMatchPyTorch) {
  const auto& [place, memory] = GetParam();
  const Fixture file(std::filesystem::path(FFN_FIXTURES) / "models" / "vit.safetensors");
  Executor ex(place.device(), memory);
  Loaded loaded(ex, file, place.dtype());
  AdamW optimizer(ex, loaded.parameters, options_of(file));
  CaseRun inputs(ex, file, place.dtype());
  const Value images = inputs.input("images");
  const Tensor labels = inputs.index("labels");

  std::vector<double> losses;
  for (std::int64_t step = 0; step < file.integer("steps"); ++step) {
    const StepScope scope(ex);
    loaded.parameters.reset_gradients();
    const Value loss = cross_entropy(ex, loaded.model().logits(ex, images), labels);
    ex.backward(loss);
    losses.push_back(host_values(loss.tensor).at(0));
    optimizer.step();
  }
  expect_close(file.at("out.losses"), losses, tolerance(file, "out.losses", place), "losses");
  EXPECT_LT(losses.back(), 0.9 * losses.front());
}

INSTANTIATE_TEST_SUITE_P(Models, VitCurve,
                         testing::Combine(testing::ValuesIn(places()),
                                          testing::Values(MemoryMode::store,
                                                          MemoryMode::recompute)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name +
                                  (std::get<1>(test.param) == MemoryMode::store ? "_store"
                                                                                : "_recompute");
                         });

}  // namespace
}  // namespace ffn::parity
