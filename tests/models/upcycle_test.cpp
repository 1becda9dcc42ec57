// A dense model's folder read into one with experts.
#include "ffn/models/transform/upcycle.h"

#include <gtest/gtest.h>

#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/base/event_sink.h"
#include "ffn/io/safetensors.h"
#include "ffn/tensor/host.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::TemporaryFolder;

DecoderConfig small(std::string_view design) {
  DecoderConfig config;
  config.vocabulary = 11;
  config.tokens = 6;
  config.width = 12;
  config.layers = 2;
  config.heads = 3;
  config.feed_forward = standard_designs().parse(design);
  return config;
}

// Weights other than the ones that a design starts with: biases and norms too.
struct Built {
  Built(const DecoderConfig& config, std::uint64_t seed)
      : model(config, parameters, seed, standard_designs()) {
    parameters.finalize(ex, DType::f64);
    initialize_all(ex, parameters, seed);
    for (Parameter& parameter : parameters.all()) {
      if (!parameter.options.frozen && parameter.name.find("lora_b") == std::string::npos)
        initialize_normal(ex, parameter, seed, 0.3);
      round_to_f32(parameter.stored());
    }
  }
  // As a file holds them.
  static void round_to_f32(const Tensor& tensor) {
    std::vector<double> values = host_values(tensor);
    for (double& value : values) value = static_cast<double>(static_cast<float>(value));
    set_host_values(tensor, values);
  }
  std::vector<double> logits() {
    const TensorSpec spec{{12}, DType::i32, Role::activation};
    const Tensor ids = ex.allocate_persistent(spec, Tag::data);
    for (std::int32_t i = 0; i < 12; ++i) ids.data_as<std::int32_t>()[i] = i * i % 11;
    const EvalScope scope(ex);
    return host_values(model.logits(ex, ids, 2).tensor);
  }
  void start_from(const std::string& folder) {
    start_weights(ex, folder, model.config().feed_forward, model.stored_weights(), parameters);
  }
  // A sum is the same for any number of rows there.
  Executor ex{reference_device()};
  ParameterSet parameters;
  Decoder model;
};

class Upcycle : public testing::Test {
 protected:
  Upcycle() : dense_(small("glu(silu, hidden=8)"), 1) {
    write_model_folder(path_, dense_.model.config(), dense_.model.stored_weights());
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path().string();
  Built dense_;
};

TEST_F(Upcycle, TheModelsWhoseWeightsSumToOneComputeTheSame) {
  const std::vector<double> expected = dense_.logits();
  for (const char* design : {"moe(3, glu(silu, hidden=8), top=1)",
                             "deepseek-moe(4, glu(silu, hidden=8), top=2, shared=1)",
                             "lora-moe(2, glu(silu, hidden=8), rank=2)"}) {
    Built model(small(design), 2);
    ASSERT_NE(model.logits(), expected) << design;
    model.start_from(path_);
    EXPECT_EQ(model.logits(), expected) << design;
  }
}

// Two weights that sum to 1 within an ulp, through two layers and the norm behind them.
TEST_F(Upcycle, MoreExpertsDifferByRoundingsOnly) {
  const std::vector<double> expected = dense_.logits();
  Built model(small("moe(3, glu(silu, hidden=8), top=2)"), 2);
  model.start_from(path_);
  const std::vector<double> found = model.logits();
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 64 * 0x1p-52 * largest);
}

TEST_F(Upcycle, EveryDesignOfExpertsTakesTheDenseLayer) {
  const std::vector<double> up =
      host_values(dense_.parameters.at("model.layers.1.mlp.up_proj.weight").master);
  Built model(small("switch(3, glu(silu, hidden=8))"), 2);
  model.start_from(path_);
  const Tensor all = model.parameters.at("model.layers.1.mlp.experts.up_proj.weight").master;
  for (std::int64_t e = 0; e < 3; ++e) EXPECT_EQ(host_values(all.slice_rows(e * 8, 8)), up) << e;
}

TEST_F(Upcycle, IsSaidOnce) {
  std::string said;
  const EventSink before = set_event_sink([&](const Event& event) { said += event.text; });
  Built model(small("moe(3, glu(silu, hidden=8), top=1)"), 2);
  model.start_from(path_);
  set_event_sink(before);
  // Embedding, last norm, two layers of four maps and two norms, and three experts of three maps.
  EXPECT_NE(said.find("32 tensors copied, 2 new"), std::string::npos) << said;
}

TEST_F(Upcycle, WhatLowRankExpertsStandBesideIsSaid) {
  std::string said;
  const EventSink before = set_event_sink([&](const Event& event) { said += event.text; });
  Built model(small("lora-moe(2, glu(silu, hidden=8))"), 2);
  model.start_from(path_);
  set_event_sink(before);
  EXPECT_NE(said.find("beside the frozen gate_proj, up_proj, down_proj"), std::string::npos)
      << said;
}

TEST_F(Upcycle, AModelWithExpertsComesBackFromItsOwnFolder) {
  Built first(small("moe(3, glu(silu, hidden=8), top=2)"), 2);
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_model_folder(path, first.model.config(), first.model.stored_weights());
  const SafetensorsFile file(path + "/model.safetensors");
  EXPECT_EQ(file.at("model.layers.0.mlp.experts.2.gate_proj.weight").shape,
            (std::vector<std::int64_t>{8, 12}));
  EXPECT_EQ(file.at("model.layers.0.mlp.gate.weight").shape, (std::vector<std::int64_t>{3, 12}));
  Built second(std::get<DecoderConfig>(read_model_config(path)), 3);
  second.start_from(path);
  EXPECT_EQ(second.logits(), first.logits());
}

template <class Attempt>
void expect_refused(ErrorKind kind, std::string_view says, const Attempt& attempt) {
  try {
    attempt();
    ADD_FAILURE() << "expected: " << says;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_NE(std::string_view(error.what()).find(says), std::string_view::npos) << error.what();
  }
}

TEST_F(Upcycle, WhatDoesNotFitIsRefused) {
  expect_refused(ErrorKind::config, "shared=1 is as wide", [&] {
    Built(small("deepseek-moe(4, glu(silu, hidden=8), top=2, shared=2)"), 2).start_from(path_);
  });
  expect_refused(ErrorKind::io, "asks for [9, 12]",
                 [&] { Built(small("moe(2, glu(silu, hidden=9))"), 2).start_from(path_); });
  const DesignRegistry& designs = standard_designs();
  const FeedForwardSpec dense = designs.parse("glu(silu, hidden=8)");
  const auto spec = [&](std::string_view text) {
    return upcycled_spec(designs.parse(text), dense, 12, designs);
  };
  EXPECT_EQ(to_string(spec("moe(2, glu(silu))")), "moe(2, glu(silu, hidden=8))");
  expect_refused(ErrorKind::config, "cannot be 'glu(gelu, hidden=8)'",
                 [&] { spec("moe(2, glu(gelu))"); });
  expect_refused(ErrorKind::config, "cannot be 'glu(silu, hidden=16)'",
                 [&] { spec("moe(2, glu(silu, hidden=16))"); });
  expect_refused(ErrorKind::config, "experts of it can", [&] { spec("mlp(gelu)"); });
}

}  // namespace
}  // namespace ffn
