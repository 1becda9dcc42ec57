#include "ffn/train/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "ffn/autograd/initialize.h"
#include "ffn/base/event_sink.h"
#include "ffn/base/philox.h"
#include "ffn/io/safetensors.h"
#include "ffn/tensor/host.h"
#include "train/full_disk.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using namespace test;
namespace fs = std::filesystem;

// Weights that follow gradients of a random stream: step s has the same ones in every run.
struct Training {
  explicit Training(DType compute = DType::f32, std::uint64_t seed = 1, std::int64_t width = 3)
      : executor(compute == DType::f64 ? reference_device() : cpu_device(serial_pool())) {
    parameters.add("fc.weight", {2, width});
    parameters.add("fc.bias", {5}, {.decay = false});
    parameters.add("norm", {4}, {.decay = false, .full_precision = true});
    parameters.finalize(executor, compute);
    for (Parameter& parameter : parameters.all()) initialize_normal(executor, parameter, seed, 1);
    parameters.weights_changed(executor);
    optimizer = std::make_unique<AdamW>(executor, parameters, AdamWOptions{});
    state.name = "statistics";
    state.tensor = executor.allocate_persistent({{2, 2}, DType::f32, Role::state}, Tag::state);
    set_host_values(state.tensor, std::vector<double>(4, static_cast<double>(seed)));
  }

  void train(std::int64_t steps) {
    for (; steps > 0; --steps, ++position.step) {
      for (Parameter& parameter : parameters.all()) {
        const RandomStream stream(9, parameter.name);
        std::vector<double> gradient(static_cast<std::size_t>(parameter.shape.count()));
        for (std::size_t i = 0; i < gradient.size(); ++i)
          gradient[i] = stream.normal(static_cast<std::uint64_t>(position.step), i);
        set_host_values(parameter.slot.gradient, gradient);
        parameter.slot.defined = true;
      }
      optimizer->step();
      std::vector<double> values = host_values(state.tensor);
      for (double& value : values) value = value * 0.5 + 1;
      set_host_values(state.tensor, values);
    }
  }
  CheckpointView view() { return {parameters, *optimizer, states}; }
  void save(const TemporaryFolder& folder, int keep = 2) {
    save_checkpoint(folder.path().string(), view(), position, keep);
  }
  bool restore(const TemporaryFolder& folder) {
    const auto found = restore_checkpoint(folder.path().string(), executor, view());
    if (found) position = *found;
    return found.has_value();
  }
  // Everything that training goes on from.
  std::vector<std::vector<double>> contents() const {
    std::vector<std::vector<double>> all{
        host_values(parameters.weights()), host_values(optimizer->first_moment()),
        host_values(optimizer->second_moment()), host_values(state.tensor)};
    if (parameters.shadow().defined()) all.push_back(host_values(parameters.shadow()));
    all.push_back({static_cast<double>(optimizer->steps()), static_cast<double>(position.step)});
    return all;
  }

  Executor executor;
  ParameterSet parameters;
  std::unique_ptr<AdamW> optimizer;
  State state;
  std::vector<State*> states{&state};
  TrainingPosition position;
};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// The warnings that `body` emitted.
template <class Body>
std::vector<std::string> warnings_of(const Body& body) {
  std::vector<std::string> warnings;
  const EventSink before =
      set_event_sink([&](const Event& event) { warnings.emplace_back(event.text); });
  body();
  set_event_sink(before);
  return warnings;
}

TEST(Checkpoint, AResumedRunEqualsAnUninterruptedOne) {
  for (const DType compute : {DType::f32, DType::bf16, DType::f64}) {
    const TemporaryFolder folder;
    Training whole(compute);
    whole.train(10);
    Training first(compute);
    first.train(4);
    first.position.epoch = 1;
    first.position.step_in_epoch = 2;
    first.position.skipped_steps = 3;
    first.position.metrics_bytes = 4;
    first.save(folder);
    Training second(compute, 77);
    const std::uint64_t version = second.parameters.at("norm").version;
    ASSERT_TRUE(second.restore(folder));
    EXPECT_EQ(second.position, first.position);
    EXPECT_EQ(second.contents(), first.contents());
    EXPECT_GT(second.parameters.at("norm").version, version);
    second.train(6);
    EXPECT_EQ(second.contents(), whole.contents());
  }
}

TEST(Checkpoint, FilesHaveTheNamesOfTheirContents) {
  const TemporaryFolder folder;
  Training run;
  run.position.step = 500;
  run.save(folder);
  const fs::path path = folder / "checkpoints/step-00000500";
  EXPECT_EQ(names_in(path),
            (std::vector<std::string>{"manifest.json", "model.safetensors", "optimizer.safetensors",
                                      "state.safetensors"}));
  EXPECT_EQ(names_in(folder / "checkpoints"), std::vector<std::string>{"step-00000500"});
  const SafetensorsFile model((path / "model.safetensors").string());
  EXPECT_EQ(model.tensors().size(), 3u);
  EXPECT_EQ(model.at("fc.weight").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(model.at("fc.weight").dtype, DType::f32);
  const SafetensorsFile optimizer((path / "optimizer.safetensors").string());
  for (const char* name : {"m.fc.weight", "v.fc.weight", "m.fc.bias", "v.norm"})
    EXPECT_NE(optimizer.find(name), nullptr) << name;
}

TEST(Checkpoint, KeepsTheLastOnesAndClearsWhatCrashesLeft) {
  const TemporaryFolder folder;
  Training run;
  fs::create_directories(folder / "checkpoints/.unfinished-step-00000009/x");
  fs::create_directories(folder / "checkpoints/mine");
  for (int i = 0; i < 5; ++i) {
    run.train(1);
    run.save(folder, 3);
  }
  EXPECT_EQ(names_in(folder / "checkpoints"),
            (std::vector<std::string>{"mine", "step-00000003", "step-00000004", "step-00000005"}));
  run.position.step = 4;  // a run that went back: what lies ahead could not be restored
  run.save(folder, 3);
  EXPECT_EQ(names_in(folder / "checkpoints"),
            (std::vector<std::string>{"mine", "step-00000003", "step-00000004"}));
  expect_error(ErrorKind::config, {"keep_last is 0"}, [&] { run.save(folder, 0); });
}

TEST(Checkpoint, NoneIsNoError) {
  const TemporaryFolder folder;
  Training run;
  EXPECT_FALSE(run.restore(folder));
  fs::create_directory(folder / "checkpoints");
  fs::create_directory(folder / "checkpoints/.unfinished-step-00000001");
  fs::create_directory(folder / "checkpoints/step-1");
  EXPECT_FALSE(run.restore(folder));
}

TEST(Checkpoint, EveryDamageOfTheNewestFallsBackToTheOneBefore) {
  const TemporaryFolder folder;
  Training run;
  run.train(1);
  run.save(folder);
  const auto before = run.contents();
  run.train(1);
  run.save(folder);
  const fs::path newest = folder / "checkpoints/step-00000002";
  int damages = 0;
  const auto expect_fallback = [&](const fs::path& path, const char* how, std::size_t at) {
    Training other(DType::f32, 5);
    const auto warnings = warnings_of([&] { ASSERT_TRUE(other.restore(folder)); });
    ASSERT_EQ(other.contents(), before) << path << " " << how << " " << at;
    ASSERT_EQ(warnings.size(), 1u);
    ASSERT_NE(warnings[0].find("step-00000002"), std::string::npos) << warnings[0];
    ++damages;
  };
  for (const std::string& name : names_in(newest)) {
    const fs::path path = newest / name;
    const Bytes good = read_file(path);
    for (std::size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] ^= static_cast<std::byte>(1u << i % 8);
      write_file(path, bad);
      expect_fallback(path, "flipped at", i);
      if (i % 7 != 0 && i + 1 < good.size()) continue;
      write_file(path, std::span(good).first(i));
      expect_fallback(path, "cut to", i);
      if (HasFatalFailure()) return;
    }
    Bytes longer = good;
    longer.push_back(std::byte{0});
    write_file(path, longer);
    expect_fallback(path, "longer than", good.size());
    fs::remove(path);
    expect_fallback(path, "missing", 0);
    write_file(path, good);
  }
  EXPECT_GT(damages, 1000);
  Training whole;
  EXPECT_TRUE(warnings_of([&] { whole.restore(folder); }).empty());
  EXPECT_EQ(whole.contents(), run.contents());
}

TEST(Checkpoint, WhenAllAreDamagedTheNewestIsNamed) {
  const TemporaryFolder folder;
  Training run;
  for (int i = 0; i < 2; ++i) {
    run.train(1);
    run.save(folder);
    fs::resize_file(
        folder / ("checkpoints/step-0000000" + std::to_string(i + 1)) / "model.safetensors", 9);
  }
  const auto before = run.contents();
  expect_error(ErrorKind::io, {"no checkpoint that is whole", "step-00000002", "has 9 bytes"},
               [&] { run.restore(folder); });
  EXPECT_EQ(run.contents(), before);
}

TEST(Checkpoint, OfAnotherModelIsNoDamage) {
  const TemporaryFolder folder;
  Training run;
  run.train(1);
  run.save(folder);
  run.train(1);
  run.save(folder);
  Training wide(DType::f32, 1, 4), precise(DType::f64);
  const auto before = wide.contents();
  expect_error(ErrorKind::config, {"step-00000002", "'fc.weight' as F32", "[2, 4]"},
               [&] { wide.restore(folder); });
  EXPECT_EQ(wide.contents(), before);
  expect_error(ErrorKind::config, {"this model's is f64"}, [&] { precise.restore(folder); });
  Training stateless;
  stateless.states.clear();
  expect_error(ErrorKind::config, {"holds states, this model has none"},
               [&] { stateless.restore(folder); });
  State another = run.state;
  another.name = "cache";
  run.states.push_back(&another);
  expect_error(ErrorKind::config, {"state.safetensors", "lacks 'cache'"},
               [&] { run.restore(folder); });
}

TEST(Checkpoint, AFullDiskLeavesTheOldOneWhole) {
  // 3 KiB of weights: wherever the limit lies, some file or none is cut.
  const TemporaryFolder folder;
  Training run(DType::f32, 1, 400);
  run.train(1);
  run.save(folder);
  const auto old = run.contents();
  run.train(1);
  for (const std::int64_t limit : {0, 1, 100, 1000, 3000, 4000, 6000}) {
    {
      const FullDisk full(limit);
      expect_error(ErrorKind::io, {"cannot be written", "File too large"},
                   [&] { run.save(folder); });
    }
    EXPECT_EQ(names_in(folder / "checkpoints"), std::vector<std::string>{"step-00000001"});
    Training other(DType::f32, 8, 400);
    EXPECT_TRUE(warnings_of([&] { other.restore(folder); }).empty());
    EXPECT_EQ(other.contents(), old);
  }
  run.save(folder);  // there is room again
  Training other(DType::f32, 8, 400);
  EXPECT_TRUE(other.restore(folder));
  EXPECT_EQ(other.contents(), run.contents());
}

TEST(Checkpoint, AFolderThatCannotBeMadeSaysWhy) {
  const TemporaryFolder folder;
  write_file(folder / "checkpoints", to_bytes("a file"));
  Training run;
  expect_error(ErrorKind::io, {"checkpoints", "cannot be made"}, [&] { run.save(folder); });
}

}  // namespace
}  // namespace ffn
