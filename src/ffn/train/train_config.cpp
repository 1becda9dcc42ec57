#include "ffn/train/train_config.h"

#include <array>
#include <charconv>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr DType kDTypes[] = {DType::f32, DType::bf16, DType::f64};

std::string shortest(float value) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

float to_number(const std::string& text, const std::string& where) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc{} && end == text.data() + text.size(), ErrorKind::io, where,
        "'drop_path' is '", text, "'; expected a number");
  return value;
}

constexpr MemoryMode kMemoryModes[] = {MemoryMode::store, MemoryMode::recompute_hidden,
                                       MemoryMode::recompute};

}  // namespace

DType parse_training_dtype(std::string_view text, std::string_view where) {
  for (const DType dtype : kDTypes)
    if (to_string(dtype) == text) return dtype;
  fail(ErrorKind::io, where, "'dtype' is '", text, "'; expected f32, bf16 or f64");
}

MemoryMode parse_memory_mode(std::string_view text, std::string_view where) {
  for (const MemoryMode mode : kMemoryModes)
    if (to_string(mode) == text) return mode;
  fail(ErrorKind::io, where, "'memory' is '", text,
       "'; expected store, recompute-hidden or recompute");
}

std::string_view to_string(MemoryMode mode) {
  switch (mode) {
    case MemoryMode::store: return "store";
    case MemoryMode::recompute_hidden: return "recompute-hidden";
    case MemoryMode::recompute: break;
  }
  return "recompute";
}

void check_train_config(const TrainConfig& config) {
  const auto require = [](bool ok, std::string_view what, auto value, std::string_view expected) {
    check(ok, ErrorKind::config, "train", what, " is ", value, "; expected ", expected);
  };
  const RunDescription& run = config.run;
  require(run.batch >= 1 && run.batch <= 1 << 20, "batch", run.batch, "1 to 1048576");
  require(run.epochs >= 1, "epochs", run.epochs, "at least 1");
  require(run.optimizer.weight_decay >= 0 && run.optimizer.weight_decay <= 1, "weight decay",
          run.optimizer.weight_decay, "0 to 1");
  require(run.max_norm >= 0, "clip norm", run.max_norm, "0 (off) or more");
  const float drop_path = drop_path_of(config.model);
  require(drop_path >= 0 && drop_path < 1, "drop path", drop_path, "0 to 1, 1 excluded");
  require(run.eval_steps >= 0, "eval steps", run.eval_steps, "0 (off) or more");
  check_schedule(run.schedule);
  check_augment(run.augment);
}

RunDescription description_of(const TrainConfig& config) {
  RunDescription run = config.run;
  run.model = {{"config", model_config_json(config.model)},
               {"drop_path", shortest(drop_path_of(config.model))},
               {"start", config.start_folder},
               {"dtype", std::string(to_string(config.dtype))},
               {"memory", std::string(to_string(config.memory))}};
  return run;
}

TrainConfig read_train_config(const std::string& folder) {
  const std::string where = folder + "/run.json";
  TrainConfig config;
  config.run = read_run_folder(folder);
  const auto text = [&](const char* key) -> const std::string& {
    const auto found = config.run.model.find(key);
    check(found != config.run.model.end(), ErrorKind::io, where, "'model' lacks the key '", key,
          "'");
    return found->second;
  };
  config.model = parse_model_config(text("config"), where);
  drop_path_of(config.model) = to_number(text("drop_path"), where);
  config.start_folder = text("start");
  config.dtype = parse_training_dtype(text("dtype"), where);
  config.memory = parse_memory_mode(text("memory"), where);
  return config;
}

std::string compiler_name() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace ffn::inline v0
