// Runs operations: allocates what they declare, records them, and walks back.
//
//   Executor ex(cpu_device(threads));
//   StepScope step(ex);                               // memory of one step, replayed from the 2nd
//   on Value h = gelu(ex, linear(ex, x, w1, b1));        // the temporary's buffer is donated to
//   gelu Value loss = cross_entropy(ex, linear(ex, h, w2, b2), targets); ex.backward(loss); //
//   gradients lie in the parameter arena
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ffn/autograd/device.h"
#include "ffn/autograd/op.h"
#include "ffn/autograd/plan.h"
#include "ffn/autograd/state.h"
#include "ffn/autograd/step_memory.h"
#include "ffn/autograd/tape.h"
#include "ffn/autograd/taps.h"
#include "ffn/autograd/value.h"
#include "ffn/base/ledger.h"

namespace ffn::inline v0 {

// store keeps what backward needs; recompute_hidden keeps all but the hidden values of feed-forward
// layers that are one operation, and computes those again; recompute keeps a segment's inputs only
// and runs its body again, hidden values not kept in there either.
enum class MemoryMode { store, recompute_hidden, recompute };

class PreparedWeights;

class Executor {
 public:
  explicit Executor(const Device& device, MemoryMode memory = MemoryMode::store);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const Device& device() const { return device_; }
  bool dry() const { return device_.dry; }
  MemoryMode memory_mode() const { return memory_mode_; }
  Ledger& ledger() { return memory_->ledger(); }
  const Ledger& ledger() const { return memory_->ledger(); }

  // ---- running ----
  // Runs `op` on `inputs` (moved in: a last handle may be donated) and returns its outputs.
  template <class O>
  Values apply(O op, Values inputs) {
    static_assert(std::is_base_of_v<Op, O> && std::is_nothrow_move_constructible_v<O>);
    return apply(op, std::move(inputs), [](Op& kept) -> std::unique_ptr<const Op> {
      return std::make_unique<O>(std::move(static_cast<O&>(kept)));
    });
  }
  // apply() for an operation with one output.
  template <class O>
  Value apply_one(O op, Values inputs) {
    return std::move(apply(std::move(op), std::move(inputs))[0]);
  }

  // Runs `body` on `inputs`. With MemoryMode::recompute and a tape, only the inputs are kept;
  // backward runs the body again, bit for bit: it must depend on its inputs, parameters and
  // counters only.
  using Body = std::function<Values(Executor&, std::span<const Value>)>;
  Values segment(Values inputs, Body body);

  // A named place in a design (pre, act, neuron, out, router): the run may read or replace the
  // value.
  Value tap(std::string_view name, Value value);
  // True when a tap of that name is set: a fused operation must then run as its composition.
  bool tapped(std::string_view name) const { return taps_.find(name) != nullptr; }
  Taps& taps() { return taps_; }

  // ---- modes ----
  bool training() const { return training_; }
  void set_training(bool training) { training_ = training; }
  bool recording() const { return recording_; }
  void set_recording(bool recording) { recording_ = recording; }
  // True while backward runs a segment's body again: nothing outside may change then.
  bool replaying() const { return replaying_; }
  // Where passes without a tape keep packed forms of the weights they meet (autograd/prepared.h),
  // for as many bytes again; null, as at the start: they pack anew each time.
  PreparedWeights* prepared() const { return recording_ ? nullptr : prepared_; }
  void set_prepared(PreparedWeights* prepared) { prepared_ = prepared; }
  std::uint64_t step() const { return step_; }  // counter of random streams
  void set_step(std::uint64_t step) { step_ = step; }

  // ---- values ----
  Value constant(Tensor tensor) const { return {std::move(tensor), nullptr}; }
  // A value whose gradient is wanted and kept until the tape is cleared.
  Value leaf(Tensor tensor);
  Value parameter(Parameter& parameter);
  // The gradient of a leaf, undefined Tensor when none reached it.
  Tensor gradient(const Value& leaf) const;

  // d(sum of output ⊙ seed)/d(everything recorded). The seed of a [1, 1] loss defaults to 1.
  // Consumes the tape. Throws Error{config} when nothing was recorded for `output`.
  void backward(const Value& output);
  void backward(const Value& output, const Tensor& seed);
  // Forgets the tape. Parameters keep their gradients until ParameterSet::reset_gradients().
  void clear_tape();

  // ---- memory ----
  // Memory of this step, charged to `tag` until its last handle is gone.
  Tensor allocate(const TensorSpec& spec, Tag tag = Tag::activations);
  // Memory that outlives steps (arenas, state, prepared weights): never part of the slab.
  Tensor allocate_persistent(const TensorSpec& spec, Tag tag);
  void begin_step();
  // Commits states, clears the tape, and ends the step's trace.
  void end_step();
  // The same after a failure: nothing is committed.
  void abandon_step();
  const StepMemory& step_memory() const { return *memory_; }

  // ---- state ----
  // Remembers `value` for `state` until commit_states(); does nothing in a replay or outside
  // training. Throws Error{config} when the same state is written twice in one step.
  void update_state(State& state, const Value& value);
  // Copies what was remembered into the states; end_step() calls it.
  void commit_states();

  // What this executor has seen so far: peaks, where they were, flops.
  PlanReport report() const;
  void reset_report();

 private:
  using Keep = std::unique_ptr<const Op> (*)(Op&);

  Values apply(Op& op, Values inputs, Keep keep);
  // Every output as a view, over a donated input, or freshly allocated.
  SmallVector<Tensor, kMaxOutputs> make_outputs(const OpSpec& spec, Values& inputs, bool recording);
  bool can_donate(const OpSpec& spec, const Value& input, int index, const TensorSpec& output,
                  bool recording) const;
  // The node of an operation that ran, and slots for its differentiable outputs.
  void record(std::unique_ptr<const Op> op, OpSpec& spec, const Values& inputs, Values& outputs,
              std::span<const Tensor> extra);
  GradientSlot* checked_slot(const Value& value) const;

  void run_backward(std::size_t first_node);
  void backward_op(Node& node);
  void backward_segment(Node& node);
  void add_to_slot(GradientSlot& slot, Tensor gradient);

  OpContext context(std::uint32_t wants, bool recording) const;
  kernels::LaunchContext launch(const Tensor& scratch) const;
  Tensor scratch(std::int64_t bytes);
  void note_peak(std::string_view what, std::string_view phase);

  Device device_;
  MemoryMode memory_mode_;
  std::shared_ptr<StepMemory> memory_;
  Tape tape_;
  Taps taps_;
  std::vector<State*> pending_states_;
  bool training_ = true;
  bool recording_ = true;
  bool replaying_ = false;
  PreparedWeights* prepared_ = nullptr;
  std::uint64_t step_ = 0;
  std::int64_t forward_flops_ = 0, backward_flops_ = 0;
  std::uint64_t seen_peak_events_ = 0;
  std::string_view peak_name_, peak_phase_;
};

// One step: begin_step() now, end_step() at the end of the scope, abandon_step() when an exception
// leaves it.
class StepScope {
 public:
  explicit StepScope(Executor& executor)
      : executor_(executor), exceptions_(std::uncaught_exceptions()) {
    executor_.begin_step();
  }
  ~StepScope() {
    if (std::uncaught_exceptions() > exceptions_) {
      executor_.abandon_step();
    } else {
      executor_.end_step();
    }
  }
  StepScope(const StepScope&) = delete;
  StepScope& operator=(const StepScope&) = delete;

 private:
  Executor& executor_;
  int exceptions_;
};

// Records nothing inside the scope: evaluation, generation.
class NoTape {
 public:
  explicit NoTape(Executor& executor) : executor_(executor), before_(executor.recording()) {
    executor_.set_recording(false);
  }
  ~NoTape() { executor_.set_recording(before_); }
  NoTape(const NoTape&) = delete;
  NoTape& operator=(const NoTape&) = delete;

 private:
  Executor& executor_;
  bool before_;
};

// NoTape in eval mode: no dropout, running statistics instead of the batch's.
class EvalScope {
 public:
  explicit EvalScope(Executor& executor)
      : no_tape_(executor), executor_(executor), before_(executor.training()) {
    executor_.set_training(false);
  }
  ~EvalScope() { executor_.set_training(before_); }
  EvalScope(const EvalScope&) = delete;
  EvalScope& operator=(const EvalScope&) = delete;

 private:
  NoTape no_tape_;
  Executor& executor_;
  bool before_;
};

}  // namespace ffn::inline v0
