// Checkpoints that a crash, a full disk or a flipped bit cannot make worse than the one before.
//
//   checkpoints/step-00000500/model.safetensors       masters by parameter name (f32; f64 on the
//                                                     reference device) and what the model itself
//                                                     froze; weights given from outside are not
//                                                     here
//                             optimizer.safetensors   m.<name> and v.<name>
//                             state.safetensors       states by name, if there are any
//                             manifest.json           last: position, sizes and CRC-32 of the
//                             others
//
// Everything is written and flushed under a temporary name, then the folder is renamed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ffn/autograd/parameters.h"
#include "ffn/autograd/state.h"
#include "ffn/train/adamw.h"
#include "ffn/train/expert_health.h"

namespace ffn::inline v0 {

// Where a run stands: `step` steps are done, `step_in_epoch` of them in epoch `epoch`.
struct TrainingPosition {
  std::int64_t step = 0, epoch = 0, step_in_epoch = 0;
  std::int64_t skipped_steps = 0;        // GradientClip::skipped()
  std::int64_t metrics_bytes = 0;        // MetricsLog::bytes(), after sync()
  std::vector<RouterLoad> experts = {};  // ExpertWatch::loads(); empty without routers

  friend bool operator==(const TrainingPosition&, const TrainingPosition&) = default;
};

// What a checkpoint holds, and what a restore fills. States: contiguous.
struct CheckpointView {
  ParameterSet& parameters;
  AdamW& optimizer;
  std::span<State* const> states;
};

// Writes checkpoints/step-<position.step> into `run_folder`, then removes all but the `keep_last`
// newest, those of later steps (they could not be restored) and what crashed writers left. When it
// throws, the checkpoints that were there are untouched. Host memory: small; the tensors are
// written from where they lie.
// Errors: Error{io} with the system's reason (disk full, …), Error{config} for keep_last below 1.
void save_checkpoint(const std::string& run_folder, const CheckpointView& view,
                     const TrainingPosition& position, int keep_last = 2);

// Fills `view` from the newest checkpoint that is whole and returns its position; std::nullopt when
// there is none at all. A damaged newer one is a warning (event) that names what is wrong with it.
// Either all of `view` is filled or nothing. Prepared weights are outdated and shadows rounded.
// Errors: Error{io} when every checkpoint is damaged, naming the newest and its damage;
// Error{config} when names, shapes or dtypes are not the model's.
std::optional<TrainingPosition> restore_checkpoint(const std::string& run_folder,
                                                   Executor& executor, const CheckpointView& view);

}  // namespace ffn::inline v0
