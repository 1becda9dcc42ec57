// The decoder: causal, its head tied or free, its block parallel or not, its folder read again.
#include "ffn/models/decoder.h"

#include <gtest/gtest.h>

#include "ffn/autograd/initialize.h"
#include "ffn/models/model_config.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"
#include "io/files.h"
#include "support/complex_step.h"

namespace ffn {
namespace {

constexpr std::int64_t kSequences = 2, kTokens = 6, kVocabulary = 11;

DecoderConfig small_config() {
  DecoderConfig config;
  config.vocabulary = kVocabulary;
  config.tokens = kTokens;
  config.width = 8;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.feed_forward = standard_designs().parse("glu(silu)");
  return config;
}

std::vector<DecoderConfig> variants() {
  DecoderConfig parallel = small_config();
  parallel.form = BlockForm::parallel;
  parallel.feed_forward = standard_designs().parse("mlp(gelu)");
  DecoderConfig free_head = small_config();
  free_head.tied_head = false;
  free_head.kv_heads = 0;
  free_head.attention_bias = free_head.feed_forward_bias = true;
  DecoderConfig gemma = small_config();
  gemma.feed_forward = standard_designs().parse("glu(gelu_tanh)");
  gemma.norm_offset = 1;
  gemma.scaled_embedding = true;
  gemma.head_width = 6;
  return {small_config(), parallel, free_head, gemma};
}

struct Built {
  Built(Executor& executor, const DecoderConfig& config, DType dtype)
      : ex(executor), model(config, parameters, 1, standard_designs()) {
    parameters.finalize(ex, dtype);
    initialize_all(ex, parameters, 7);
    // Larger than a fresh model's, so that every path matters.
    for (Parameter& parameter : parameters.all()) {
      std::vector<double> values = host_values(parameter.master);
      for (double& value : values) value *= parameter.shape.rank() == 2 ? 20 : 1;
      set_host_values(parameter.master, values);
    }
    parameters.weights_changed(ex);
  }
  Tensor ids(std::int32_t last) const {
    const Tensor made =
        ex.allocate_persistent({{kSequences * kTokens}, DType::i32, Role::activation}, Tag::data);
    const auto span = host_span<std::int32_t>(made);
    for (std::size_t i = 0; i < span.size(); ++i)
      span[i] = static_cast<std::int32_t>(i * i) % kVocabulary;
    span[kTokens - 1] = last;  // of the first sequence
    return made;
  }

  Executor& ex;
  ParameterSet parameters;
  Decoder model;
};

TEST(Decoder, NoTokenSeesALaterOne) {
  for (const DecoderConfig& config : variants()) {
    Executor ex(cpu_device(serial_pool()));
    const Built built(ex, config, DType::f32);
    const NoTape no_tape(ex);
    const auto a = host_values(built.model.logits(ex, built.ids(1), kSequences).tensor);
    const auto b = host_values(built.model.logits(ex, built.ids(2), kSequences).tensor);
    for (std::int64_t row = 0; row < kSequences * kTokens; ++row) {
      const auto begin = static_cast<std::ptrdiff_t>(row * kVocabulary);
      const bool same =
          std::equal(a.begin() + begin, a.begin() + begin + kVocabulary, b.begin() + begin);
      EXPECT_EQ(same, row != kTokens - 1) << row;
    }
  }
}

// The loss with one weight moved off the real axis.
std::complex<double> loss_at(const DecoderConfig& config, const std::string& name,
                             const test::ComplexValues& values) {
  Executor ex(reference_device());
  Built built(ex, config, DType::c128);
  std::ranges::copy(values,
                    host_span<std::complex<double>>(built.parameters.at(name).master).begin());
  built.parameters.weights_changed(ex);
  const NoTape no_tape(ex);
  const Tensor ids = built.ids(3);
  const Value value = cross_entropy(ex, built.model.logits(ex, ids, kSequences), ids);
  return host_span<std::complex<double>>(value.tensor)[0];
}

// Of every weight, the tied table included: it is read twice and its gradient is the sum.
TEST(Decoder, GradientsEqualTheComplexStep) {
  for (const DecoderConfig& config : variants()) {
    Executor ex(reference_device());
    Built built(ex, config, DType::f64);
    const Tensor ids = built.ids(3);
    ex.backward(cross_entropy(ex, built.model.logits(ex, ids, kSequences), ids));
    for (const Parameter& parameter : built.parameters.all()) {
      const std::vector<double> values = host_values(parameter.master);
      const std::vector<double> gradient = host_values(parameter.slot.gradient);
      const std::vector<test::ComplexStepInput> inputs{{parameter.name, values, gradient}};
      EXPECT_TRUE(test::check_complex_step(inputs, [&](const test::ComplexPoint& point) {
        return loss_at(config, parameter.name, point[0]);
      })) << parameter.name;
    }
  }
}

TEST(Decoder, FolderIsReadAgain) {
  const char* const kTypes[] = {"llama", "feedforward", "llama", "gemma"};
  std::size_t index = 0;
  for (const DecoderConfig& config : variants()) {
    Executor ex(cpu_device(serial_pool()));
    const Built built(ex, config, DType::f32);
    const testing_io::TemporaryFolder folder;
    const std::string path = folder.path().string();
    write_model_folder(path, built.model.config(), built.model.stored_weights());
    EXPECT_NE(model_config_json(built.model.config())
                  .find(std::string("\"model_type\": \"") + kTypes[index++] + "\""),
              std::string::npos);
    const auto again = std::get<DecoderConfig>(read_model_config(path));
    EXPECT_EQ(model_config_json(again), model_config_json(built.model.config()));
    Built read(ex, again, DType::f32);
    read.parameters.weights().data_as<float>()[0] += 1;
    read_model_weights(ex, path, read.model.stored_weights(), read.parameters);
    EXPECT_EQ(host_values(read.parameters.weights()), host_values(built.parameters.weights()));
  }
}

TEST(Decoder, SizesThatDoNotFitAreNamed) {
  DecoderConfig config = small_config();
  config.kv_heads = 3;
  ParameterSet parameters;
  EXPECT_THROW(Decoder(config, parameters, 1, standard_designs()), Error);
  config = small_config();
  config.width = 9;
  ParameterSet others;
  EXPECT_THROW(Decoder(config, others, 1, standard_designs()), Error);
}

TEST(Decoder, TheLargestPresetHasTheShapeOfGpt2) {
  DecoderConfig config = decoder_preset("lm-124m");
  config.vocabulary = 50'257;
  config.feed_forward = standard_designs().parse("mlp(gelu)");
  // 124,439,808 of GPT-2 less positions (1024·768), norms' biases and the biases of four maps.
  const std::int64_t less = 1024 * 768 + 25 * 768 + 12 * (4 * 768 + 3072 + 768);
  EXPECT_EQ(model_costs(config, standard_designs()).parameters, 124'439'808 - less);
}

}  // namespace
}  // namespace ffn
