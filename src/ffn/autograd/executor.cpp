#include "ffn/autograd/executor.h"

#include "ffn/autograd/parameters.h"
#include "ffn/base/error.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

bool is_saved_input(const OpSpec& spec, int index) {
  for (const Saved& saved : spec.saved)
    if (saved.from == Saved::From::input && saved.index == index) return true;
  return false;
}

const View* view_of(const OpSpec& spec, std::size_t output) {
  for (const View& view : spec.views)
    if (view.output == output) return &view;
  return nullptr;
}

}  // namespace

Executor::Executor(const Device& device, MemoryMode memory)
    : device_(device), memory_mode_(memory), memory_(std::make_shared<StepMemory>(device.dry)) {}

Executor::~Executor() = default;

// ---- memory -------------------------------------------------------------------------------------

Tensor Executor::allocate(const TensorSpec& spec, Tag tag) {
  return {memory_->acquire(tag, spec.bytes()), spec};
}

Tensor Executor::allocate_persistent(const TensorSpec& spec, Tag tag) {
  return {memory_->acquire_persistent(tag, spec.bytes()), spec};
}

Tensor Executor::scratch(std::int64_t bytes) {
  if (bytes == 0) return {};
  return allocate({{bytes}, DType::u8, Role::activation}, Tag::scratch);
}

void Executor::begin_step() { memory_->begin_step(); }

void Executor::end_step() {
  commit_states();
  abandon_step();
}

void Executor::abandon_step() {
  for (State* state : pending_states_) state->pending = Tensor();
  pending_states_.clear();
  clear_tape();
  memory_->end_step();
}

// ---- values -------------------------------------------------------------------------------------

Value Executor::leaf(Tensor tensor) {
  TensorSpec spec = tensor.spec();
  if (spec.role == Role::parameter) spec.dtype = gradient_dtype(spec.dtype);
  GradientSlot* slot = tape_.new_slot(spec);
  return {std::move(tensor), slot, tape_.age()};
}

Value Executor::parameter(Parameter& parameter) {
  return {parameter.value, parameter.trainable() ? &parameter.slot : nullptr};
}

Tensor Executor::gradient(const Value& leaf) const {
  const GradientSlot* slot = checked_slot(leaf);
  return slot != nullptr && slot->defined ? slot->gradient : Tensor();
}

GradientSlot* Executor::checked_slot(const Value& value) const {
  GradientSlot* slot = value.slot;
  if (slot == nullptr || slot->parameter != nullptr) return slot;
  check(value.tape_age == tape_.age(), ErrorKind::config, "tape", "a value of shape ",
        value.shape(), " was recorded before the tape was cleared");
  return slot;
}

void Executor::clear_tape() { tape_.clear(); }

Value Executor::tap(std::string_view name, Value value) {
  const Tap* tap = taps_.find(name);
  if (tap == nullptr) return value;
  if (tap->read && !replaying_) tap->read(value.tensor);
  return tap->replace ? tap->replace(*this, std::move(value)) : std::move(value);
}

// ---- running ------------------------------------------------------------------------------------

OpContext Executor::context(std::uint32_t wants, bool recording) const {
  return {device_.kernels, device_.threads->size(), training_, recording,
          wants,           device_.activations};
}

kernels::LaunchContext Executor::launch(const Tensor& scratch) const {
  return {device_.threads, scratch.data(), scratch.defined() ? scratch.spec().bytes() : 0};
}

Values Executor::apply(Op& op, Values inputs, Keep keep) {
  SmallVector<TensorSpec, kMaxInputs> specs;
  std::uint32_t wants = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    specs.push_back(inputs[i].tensor.spec());
    if (recording_ && checked_slot(inputs[i]) != nullptr) wants |= 1u << i;
  }
  const bool recording = wants != 0;
  const OpContext ctx = context(wants, recording);
  OpSpec spec = op.infer(specs, ctx);
  check(spec.writes == 0 || !recording_, ErrorKind::config, op.name(),
        "writes a state in place, which a tape cannot undo; run it under NoTape");

  SmallVector<Tensor, kMaxOutputs> outputs = make_outputs(spec, inputs, recording);
  SmallVector<Tensor, kMaxOutputs> extra;
  if (recording)
    for (const TensorSpec& extra_spec : spec.extra) extra.push_back(allocate(extra_spec));
  {
    const Tensor workspace = scratch(spec.forward_scratch_bytes);
    note_peak(op.name(), "forward");
    if (!dry()) {
      SmallVector<Tensor, kMaxInputs> tensors;
      for (const Value& input : inputs) tensors.push_back(input.tensor);
      op.forward({tensors, outputs, extra, ctx, launch(workspace)});
    }
  }
  (replaying_ ? backward_flops_ : forward_flops_) += spec.forward_flops;

  Values results;
  for (Tensor& output : outputs) results.push_back({std::move(output), nullptr});
  if (recording) record(keep(op), spec, inputs, results, extra);
  return results;
}

bool Executor::can_donate(const OpSpec& spec, const Value& input, int index,
                          const TensorSpec& output, bool recording) const {
  const Tensor& tensor = input.tensor;
  return tensor.storage().use_count() == 1 && tensor.storage()->donatable() &&
         tensor.role() == Role::activation && tensor.contiguous() &&
         tensor.spec().bytes() == output.bytes() && tensor.dtype() == output.dtype &&
         !(recording && is_saved_input(spec, index) && !fault(300));
}

SmallVector<Tensor, kMaxOutputs> Executor::make_outputs(const OpSpec& spec, Values& inputs,
                                                        bool recording) {
  SmallVector<Tensor, kMaxOutputs> outputs;
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) {
    const TensorSpec& wanted = spec.outputs[i];
    if (const View* view = view_of(spec, i)) {
      const Tensor& base = inputs[view->input].tensor;
      outputs.push_back(
          Tensor(base.storage(), wanted, base.offset_bytes() + view->offset_bytes, view->ld));
      continue;
    }
    Tensor output;
    for (const Alias& alias : spec.may_alias) {
      if (alias.to != i || !can_donate(spec, inputs[alias.from], alias.from, wanted, recording)) {
        continue;
      }
      output = inputs[alias.from].tensor.reshape(wanted.shape);
      break;
    }
    outputs.push_back(output.defined() ? std::move(output) : allocate(wanted));
  }
  return outputs;
}

void Executor::record(std::unique_ptr<const Op> op, OpSpec& spec, const Values& inputs,
                      Values& outputs, std::span<const Tensor> extra) {
  Node& node = tape_.nodes().emplace_back();
  node.op = std::move(op);
  for (const Saved& saved : spec.saved) {
    switch (saved.from) {
      case Saved::From::input: node.saved.push_back(inputs[saved.index].tensor); break;
      case Saved::From::output: node.saved.push_back(outputs[saved.index].tensor); break;
      case Saved::From::extra: node.saved.push_back(extra[saved.index]); break;
    }
  }
  for (const Value& input : inputs) node.inputs.push_back(input.slot);
  for (Value& output : outputs) {
    if (is_float(output.dtype())) {
      output.slot = tape_.new_slot(output.tensor.spec());
      output.tape_age = tape_.age();
    }
    node.outputs.push_back(output.slot);
  }
  node.gradient_may_alias = std::move(spec.gradient_may_alias);
  node.backward_scratch_bytes = spec.backward_scratch_bytes;
  node.backward_flops = spec.backward_flops;
}

// ---- state --------------------------------------------------------------------------------------

void Executor::update_state(State& state, const Value& value) {
  if ((replaying_ && !fault(301)) || !training_) return;
  check(!state.pending.defined(), ErrorKind::config, "state", state.name,
        " is written twice in one step");
  state.pending = value.tensor;
  pending_states_.push_back(&state);
}

void Executor::commit_states() {
  for (State* state : pending_states_) {
    if (!dry()) {
      device_.kernels->copy(launch({}),
                            {state->pending.matrix(), state->tensor.matrix(), 1, false});
    }
    state->pending = Tensor();
  }
  pending_states_.clear();
}

// ---- report -------------------------------------------------------------------------------------

void Executor::note_peak(std::string_view what, std::string_view phase) {
  if (ledger().peak_events() == seen_peak_events_) return;
  seen_peak_events_ = ledger().peak_events();
  peak_name_ = what;
  peak_phase_ = phase;
}

PlanReport Executor::report() const {
  PlanReport report;
  report.peak_bytes = ledger().peak_bytes();
  report.bytes_at_peak = ledger().bytes_at_peak();
  for (int tag = 0; tag < kTags; ++tag)
    report.peak_by_tag[static_cast<std::size_t>(tag)] = ledger().peak_bytes(static_cast<Tag>(tag));
  report.slab_bytes = memory_->slab_bytes();
  report.forward_flops = forward_flops_;
  report.backward_flops = backward_flops_;
  report.peak_where = std::string(peak_name_) + " " + std::string(peak_phase_);
  return report;
}

void Executor::reset_report() {
  ledger().reset_peak();
  forward_flops_ = backward_flops_ = 0;
  seen_peak_events_ = ledger().peak_events();
  peak_name_ = peak_phase_ = {};
}

}  // namespace ffn::inline v0
