// Every family of decoders against transformers' own: read as a Hugging Face folder, logits, and
// ten steps of training.
#include <algorithm>

#include "ffn/tensor/host.h"
#include "loaded_model.h"

namespace ffn::parity {
namespace {

class DecoderParity : public testing::TestWithParam<std::tuple<Place, std::string>> {
 protected:
  const Place& place() const { return std::get<0>(GetParam()); }
};

using LoadedDecoder = Loaded<Decoder, DecoderConfig>;

TEST_P(DecoderParity, Logits) {
  const Fixture file = model_fixture(std::get<1>(GetParam()));
  Executor ex(place().device());
  const LoadedDecoder loaded(ex, file, place().dtype());
  const NoTape no_tape(ex);
  CaseRun inputs(ex, file, place().dtype());
  const Tensor logits =
      loaded.model().logits(ex, inputs.index("ids"), file.integer("sequences")).tensor;
  // 1e-5 of the largest logit is what every model promises at f32.
  const double allowed = std::min(1e-5, tolerance(file, "out.logits", place()));
  expect_close(file.at("out.logits"), host_values(logits), allowed, "logits");
}

INSTANTIATE_TEST_SUITE_P(Models, DecoderParity,
                         testing::Combine(testing::ValuesIn(places()),
                                          testing::ValuesIn(kDecoderFixtures)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param);
                         });

class DecoderCurve : public testing::TestWithParam<std::tuple<Place, MemoryMode>> {};

TEST_P(DecoderCurve, TenStepsUnderAdamWMatchPyTorch) {
  const auto& [place, memory] = GetParam();
  const Fixture file = model_fixture("llama");
  Executor ex(place.device(), memory);
  LoadedDecoder loaded(ex, file, place.dtype());
  CaseRun inputs(ex, file, place.dtype());
  const Tensor ids = inputs.index("ids");
  const std::vector<double> losses =
      adamw_losses(ex, file, loaded.parameters, inputs.index("labels"),
                   [&] { return loaded.model().logits(ex, ids, file.integer("sequences")); });
  expect_close(file.at("out.losses"), losses, tolerance(file, "out.losses", place), "losses");
  EXPECT_LT(losses.back(), 0.9 * losses.front());
}

INSTANTIATE_TEST_SUITE_P(Models, DecoderCurve,
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
