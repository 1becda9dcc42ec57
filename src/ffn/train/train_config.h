// Everything that decides what a training run computes.
#pragma once

#include <string>
#include <string_view>

#include "ffn/autograd/executor.h"
#include "ffn/models/model_config.h"
#include "ffn/train/run_folder.h"

namespace ffn::inline v0 {

struct TrainConfig {
  ModelConfig model;         // feed_forward with its hidden width
  std::string start_folder;  // a Hugging Face folder whose weights the run starts from; or empty
  DType dtype = DType::f32;
  MemoryMode memory = MemoryMode::store;
  RunDescription run;  // its `model` is filled by description_of()
};

// Throws Error{config} naming the first value that is out of range.
void check_train_config(const TrainConfig& config);

// What run.json holds: config.run with the other members in `model`, as texts.
RunDescription description_of(const TrainConfig& config);
// The reverse, of <folder>/run.json. Errors: io.
TrainConfig read_train_config(const std::string& folder);

// What those texts stand for. Errors: io, naming `where`.
DType parse_training_dtype(std::string_view text, std::string_view where);
MemoryMode parse_memory_mode(std::string_view text, std::string_view where);
std::string_view to_string(MemoryMode mode);

// "GCC 12.2.0" or "clang 19.1.7": what built this library.
std::string compiler_name();

}  // namespace ffn::inline v0
