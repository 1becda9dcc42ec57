// Models as folders: written and read again bit for bit; damaged ones refused by name.
#include "ffn/models/model_config.h"

#include <gtest/gtest.h>

#include "ffn/autograd/initialize.h"
#include "ffn/tensor/host.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;
using testing_io::read_file;
using testing_io::TemporaryFolder;
using testing_io::to_bytes;
using testing_io::write_file;

VitConfig small(std::string_view design) {
  VitConfig config;
  config.image_size = 8;
  config.patch = 4;
  config.width = 12;
  config.layers = 2;
  config.heads = 3;
  config.classes = 5;
  config.feed_forward = standard_designs().parse(design);
  return config;
}

struct Built {
  Built(Executor& ex, const VitConfig& config, std::uint64_t seed)
      : model(config, parameters, seed, standard_designs()) {
    parameters.finalize(ex, DType::f32);
    initialize_all(ex, parameters, seed);
  }
  ParameterSet parameters;
  VisionTransformer model;
};

TEST(VitFolder, RunningStatisticsComeBack) {
  const TemporaryFolder folder;
  Executor ex(cpu_device(serial_pool()));
  Built written(ex, small("leff(gelu, x2)"), 1);
  double next = 0.5;
  for (State& state : written.parameters.states()) {
    std::vector<double> values(static_cast<std::size_t>(state.shape.count()));
    for (double& value : values) value = next += 0.25;
    set_host_values(state.tensor, values);
  }
  const std::string path = folder.path().string();
  write_model_folder(path, written.model.config(), written.model.stored_weights());
  Built read(ex, std::get<VitConfig>(read_model_config(path)), 2);
  read_model_weights(ex, path, read.model.stored_weights(), read.parameters);
  ASSERT_EQ(read.parameters.states().size(), written.parameters.states().size());
  ASSERT_FALSE(read.parameters.states().empty());
  for (std::size_t i = 0; i < read.parameters.states().size(); ++i)
    EXPECT_EQ(host_values(read.parameters.states()[i].tensor),
              host_values(written.parameters.states()[i].tensor));
}

TEST(VitFolder, ComesBackBitForBit) {
  std::vector<VitConfig> configs{small("mlp(gelu)"), small("glu(silu, hidden=9)"),
                                 small("dwconv(relu, k=5, x2)"), small("mlp(relu2, x2)")};
  configs[1].pool = Pool::mean;
  configs[3].distillation_token = configs[3].teacher_head = true;
  for (const VitConfig& config : configs) {
    const TemporaryFolder folder;
    Executor ex(cpu_device(serial_pool()));
    Built written(ex, config, 1);
    write_model_folder(folder.path().string(), written.model.config(),
                       written.model.stored_weights());
    const VitConfig again = std::get<VitConfig>(read_model_config(folder.path().string()));
    EXPECT_EQ(model_config_json(again), model_config_json(written.model.config()));
    Built read(ex, again, 2);
    EXPECT_FALSE(host_values(read.parameters.weights()) ==
                 host_values(written.parameters.weights()));
    read_model_weights(ex, folder.path().string(), read.model.stored_weights(), read.parameters);
    EXPECT_TRUE(host_values(read.parameters.weights()) ==
                host_values(written.parameters.weights()));
  }
}

TEST(VitFolder, WhatTransformersLacksSaysSo) {
  Executor ex(cpu_device(serial_pool()));
  const auto type_of = [&](const VitConfig& config) {
    Built built(ex, config, 1);
    const std::string json = model_config_json(built.model.config());
    const std::size_t at = json.find("\"model_type\": \"") + 15;
    return json.substr(at, json.find('"', at) - at);
  };
  EXPECT_EQ(type_of(small("mlp(gelu)")), "vit");
  EXPECT_EQ(type_of(small("mlp(hardswish)")), "feedforward");
  EXPECT_EQ(type_of(small("glu(silu)")), "feedforward");
  VitConfig pooled = small("mlp(gelu)");
  pooled.pool = Pool::mean;
  EXPECT_EQ(type_of(pooled), "feedforward");
  VitConfig deit = small("mlp(gelu)");
  deit.distillation_token = true;
  EXPECT_EQ(type_of(deit), "deit");
}

TEST(VitFolder, DamageIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  Executor ex(cpu_device(serial_pool()));
  Built built(ex, small("mlp(gelu)"), 1);
  expect_error(ErrorKind::io, {"config.json"},
               [&] { std::get<VitConfig>(read_model_config(path)); });
  write_model_folder(path, built.model.config(), built.model.stored_weights());
  const std::string config(reinterpret_cast<const char*>(read_file(folder / "config.json").data()),
                           read_file(folder / "config.json").size());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = config;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_file(folder / "config.json", to_bytes(text.replace(at, from.size(), to)));
  };
  const auto refused = [&](std::initializer_list<std::string_view> says) {
    expect_error(ErrorKind::io, says, [&] { std::get<VitConfig>(read_model_config(path)); });
  };
  with("\"vit\"", "\"resnet\"");
  refused({"config.json", "is of family 'resnet'", "known are vit"});
  with("\"gelu\"", "\"swoosh\"");
  refused({"hidden_act 'swoosh'"});
  with("\"hidden_size\": 12", "\"hidden_size\": -12");
  refused({"'hidden_size' is -12; expected 1 to"});
  with("\"hidden_size\": 12", "\"hidden_size\": \"12\"");
  refused({"'hidden_size'", "expected an integer"});
  with("{", "[");
  refused({"is no JSON object"});

  // Weights of another width, and a tensor too many.
  with("\"hidden_size\": 12", "\"hidden_size\": 24");
  Built wider(ex, std::get<VitConfig>(read_model_config(path)), 1);
  expect_error(ErrorKind::io, {"model.safetensors", "cls_token", "[1, 1, 12]", "[1, 1, 24]"}, [&] {
    read_model_weights(ex, path, wider.model.stored_weights(), wider.parameters);
  });
  with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
  Built shallow(ex, std::get<VitConfig>(read_model_config(path)), 1);
  expect_error(ErrorKind::io, {"vit.encoder.layer.1", "has no place in the model"}, [&] {
    read_model_weights(ex, path, shallow.model.stored_weights(), shallow.parameters);
  });
  with("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
  Built deep(ex, std::get<VitConfig>(read_model_config(path)), 1);
  expect_error(ErrorKind::io, {"vit.encoder.layer.2"},
               [&] { read_model_weights(ex, path, deep.model.stored_weights(), deep.parameters); });
}

TEST(VitConfig, ImpossibleSizesAreRefused) {
  ParameterSet parameters;
  const auto build = [&](const VitConfig& config) {
    VisionTransformer(config, parameters, 0, standard_designs());
  };
  VitConfig config = small("mlp(gelu)");
  config.patch = 3;
  EXPECT_THROW(build(config), Error);
  config = small("mlp(gelu)");
  config.heads = 5;
  EXPECT_THROW(build(config), Error);
  EXPECT_THROW(vit_preset("deit-tny"), Error);
}

}  // namespace
}  // namespace ffn
