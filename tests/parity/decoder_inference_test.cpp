// Every family of decoders as inference runs it: one token after another from a cache, weights
// where the file has them, and a folder that is written again.
#include <algorithm>
#include <cmath>

#include "ffn/io/checkpoint.h"
#include "ffn/models/decoder_config.h"
#include "ffn/models/placed_weights.h"
#include "ffn/tensor/host.h"
#include "loaded_model.h"

namespace ffn::parity {
namespace {

using LoadedDecoder = Loaded<Decoder, DecoderConfig>;

class DecoderInference : public testing::TestWithParam<std::tuple<Place, std::string>> {
 protected:
  const Place& place() const { return std::get<0>(GetParam()); }
  Fixture fixture() const { return model_fixture(std::get<1>(GetParam())); }
};

Tensor ids_of(Executor& ex, const Fixture& file, std::int64_t begin, std::int64_t count) {
  const Tensor ids = ex.allocate_persistent({{count}, DType::i32, Role::activation}, Tag::data);
  const std::vector<double>& all = file.at("in.ids").values;
  for (std::int64_t i = 0; i < count; ++i)
    ids.data_as<std::int32_t>()[i] =
        static_cast<std::int32_t>(all[static_cast<std::size_t>(begin + i)]);
  return ids;
}

// Row `row` of the fixture's logits.
void expect_row(const Fixture& file, std::int64_t row, const Tensor& logits, double tolerance,
                const std::string& what) {
  const Array& all = file.at("out.logits");
  double largest = 0;
  for (const double value : all.values) largest = std::max(largest, std::abs(value));
  const std::vector<double> found = host_values(logits);
  ASSERT_EQ(logits.rows(), 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double expected = all.values[static_cast<std::size_t>(row) * found.size() + i];
    ASSERT_NEAR(found[i], expected, tolerance * largest) << what << " row " << row << " id " << i;
  }
}

// A prompt of `prompt` tokens, then one by one, for both sequences: as all at once.
void expect_decoding(Executor& ex, const Decoder& model, const Fixture& file, DType cache_dtype,
                     std::int64_t prompt, double tolerance) {
  const std::int64_t sequences = file.integer("sequences");
  const std::int64_t T = file.at("in.ids").shape.count() / sequences;
  const EvalScope scope(ex);
  DecoderCache cache(ex, model.config(), T, cache_dtype);
  for (std::int64_t sequence = 0; sequence < sequences; ++sequence) {
    cache.keep(0);
    std::int64_t next = prompt;
    const std::int64_t first = sequence * T;
    Value logits = model.last_logits(ex, ids_of(ex, file, first, prompt), cache);
    expect_row(file, first + next - 1, logits.tensor, tolerance, "prompt");
    for (; next < T; ++next) {
      logits = model.last_logits(ex, ids_of(ex, file, first + next, 1), cache);
      expect_row(file, first + next, logits.tensor, tolerance, "step");
    }
    EXPECT_EQ(cache.tokens(), T);
  }
}

TEST_P(DecoderInference, GoesOnFromACacheAsTheWholeSequence) {
  const Fixture file = fixture();
  Executor ex(place().device());
  const LoadedDecoder loaded(ex, file, place().dtype());
  const double allowed = std::min(1e-5, tolerance(file, "out.logits", place()));
  for (const std::int64_t prompt : {1, 4})
    expect_decoding(ex, loaded.model(), file, place().dtype(), prompt, allowed);
}

// Numbers of 8 bits: 2^-9 each, of scores, values and results in every layer. A router may choose
// another expert for such numbers.
TEST_P(DecoderInference, ACacheOfBf16RoundsNoMoreThanItsNumbers) {
  const Fixture file = fixture();
  if (place().reference || file.text("attr.config").find("experts") != std::string::npos)
    GTEST_SKIP() << "f64, or experts";
  Executor ex(place().device());
  const LoadedDecoder loaded(ex, file, place().dtype());
  expect_decoding(ex, loaded.model(), file, DType::bf16, 3, 16 * 0x1p-9);
}

TEST_P(DecoderInference, WeightsAreReadWhereTheyLie) {
  const Fixture file = fixture();
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const testing_io::TemporaryFolder folder;
    write_folder(file, folder.path(), dtype);
    const std::string path = folder.path().string();
    Executor ex(place().device());
    const ModelConfig config = read_model_config(path);
    ParameterSet parameters;
    const Decoder model(std::get<DecoderConfig>(config), parameters, 1, standard_designs());
    const PlacedBytes bytes =
        place_weights(ex, WeightFile(*open_checkpoint(path)), model.stored_weights(), parameters,
                      place().dtype(), harmless_names(config));
    parameters.finalize(ex, place().dtype(), false);
    EXPECT_EQ(parameters.elements(), 0);
    EXPECT_GT(bytes.mapped, 0);
    EXPECT_EQ(ex.ledger().live_bytes(Tag::parameters), bytes.copied);
    const EvalScope scope(ex);
    CaseRun inputs(ex, file, place().dtype());
    const Tensor logits = model.logits(ex, inputs.index("ids"), file.integer("sequences")).tensor;
    double allowed = std::min(1e-5, tolerance(file, "out.logits", place()));
    // Numbers below 2^-14 have fewer than 8 bits in f16: they err by 2^-25, of weights near 1/4.
    if (dtype == DType::f16) allowed = std::max(allowed, 1e-6);
    expect_close(file.at("out.logits"), host_values(logits), allowed, "logits");
  }
}

class DecoderFolder : public testing::TestWithParam<std::string> {};

TEST_P(DecoderFolder, EveryTensorHasAPlace) {
  Executor ex(cpu_device(serial_pool()));
  const LoadedDecoder loaded(ex, model_fixture(GetParam()), DType::f32);
  const std::vector<WeightUse> uses =
      weight_uses(WeightFile(*open_checkpoint(loaded.folder())), loaded.model().stored_weights());
  ASSERT_FALSE(uses.empty());
  for (const WeightUse& use : uses) EXPECT_FALSE(use.became.empty()) << use.name;
}

// Under the same model_type, with the same configuration, names, shapes and numbers.
TEST_P(DecoderFolder, IsWrittenAsItWasRead) {
  Executor ex(cpu_device(serial_pool()));
  const LoadedDecoder loaded(ex, model_fixture(GetParam()), DType::f32);
  const testing_io::TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_model_folder(path, loaded.model().config(), loaded.model().stored_weights());
  const auto config = std::get<DecoderConfig>(read_model_config(path));
  EXPECT_EQ(config, loaded.model().config());
  const std::string json = decoder_config_json(config);
  EXPECT_EQ(json.find("\"model_type\": \"feedforward\""), std::string::npos) << json;
  const WeightFile before(*open_checkpoint(loaded.folder())), after(*open_checkpoint(path));
  ASSERT_EQ(after.tensors().size(), before.tensors().size());
  for (const StoredWeight& weight : loaded.model().stored_weights()) {
    EXPECT_EQ(after.at(weight).shape, before.at(weight).shape) << weight.name;
    EXPECT_EQ(values_of(after.at(weight).tensor), values_of(before.at(weight).tensor))
        << weight.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, DecoderInference,
                         testing::Combine(testing::ValuesIn(places()),
                                          testing::ValuesIn(kDecoderFixtures)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param);
                         });

INSTANTIATE_TEST_SUITE_P(Models, DecoderFolder, testing::ValuesIn(kDecoderFixtures),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace ffn::parity
