// The way back through the tape.
#include "ffn/autograd/executor.h"
#include "ffn/autograd/parameters.h"
#include "ffn/base/error.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

using Gradients = SmallVector<Tensor, kMaxOutputs>;

// Takes the gradients out of a node's output slots; the slots are then empty.
Gradients take_gradients(const Node& node) {
  Gradients gradients;
  for (GradientSlot* slot : node.outputs) {
    gradients.push_back(Tensor());
    if (slot == nullptr || !slot->defined) continue;
    gradients[gradients.size() - 1] = std::move(slot->gradient);
    slot->gradient = Tensor();
    slot->defined = false;
  }
  return gradients;
}

bool any_defined(const Gradients& gradients) {
  for (const Tensor& gradient : gradients)
    if (gradient.defined()) return true;
  return false;
}

// The buffer of an output's gradient that may become input `index`'s, taken from `gradients`.
Tensor donated_gradient(const Node& node, const Gradients& gradients, std::size_t index,
                        const TensorSpec& wanted) {
  for (const Alias& alias : node.gradient_may_alias) {
    if (alias.to != index) continue;
    const Tensor& from = gradients[alias.from];
    const bool fits = from.defined() && from.storage().use_count() == 1 &&
                      from.storage()->donatable() && from.contiguous() &&
                      from.dtype() == wanted.dtype && from.spec().bytes() == wanted.bytes();
    if (fits) return from.reshape(wanted.shape);
  }
  return {};
}

TensorSpec gradient_spec(const TensorSpec& value) {
  TensorSpec spec = value;
  spec.role = Role::activation;
  return spec;
}

}  // namespace

void Executor::backward(const Value& output) {
  const Tensor& value = output.tensor;
  check(value.rows() == 1 && value.cols() == 1, ErrorKind::shape, "backward",
        "only a [1, 1] loss has a default seed, got ", value.shape());
  Tensor seed = allocate(gradient_spec(value.spec()), Tag::gradients);
  if (!dry()) device_.kernels->fill(launch({}), {seed.matrix(), 1.0f});
  backward(output, seed);
}

void Executor::backward(const Value& output, const Tensor& seed) {
  GradientSlot* slot = checked_slot(output);
  check(slot != nullptr && slot->parameter == nullptr, ErrorKind::config, "backward",
        "nothing was recorded for a value of shape ", output.shape());
  check(seed.shape() == output.shape() && seed.dtype() == output.dtype(), ErrorKind::shape,
        "backward", "the seed is ", seed.shape(), " ", to_string(seed.dtype()), ", the output ",
        output.shape(), " ", to_string(output.dtype()));
  add_to_slot(*slot, seed);
  run_backward(0);
}

void Executor::run_backward(std::size_t first_node) {
  std::vector<Node>& nodes = tape_.nodes();
  while (nodes.size() > first_node) {
    Node node = std::move(nodes.back());
    nodes.pop_back();
    if (node.op != nullptr) {
      backward_op(node);
    } else {
      backward_segment(node);
    }
  }
}

void Executor::backward_op(Node& node) {
  const Gradients gradients = take_gradients(node);
  if (!any_defined(gradients)) return;

  SmallVector<GradientTarget, kMaxInputs> targets;
  SmallVector<bool, kMaxInputs> again;  // the slot already stands at an earlier input
  std::uint32_t wants = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    GradientSlot* slot = node.inputs[i];
    GradientTarget target;
    bool repeated = false;
    for (std::size_t j = 0; j < i; ++j) repeated = repeated || (slot && node.inputs[j] == slot);
    if (slot != nullptr) {
      wants |= 1u << i;
      const TensorSpec spec = gradient_spec(slot->spec);
      if (repeated) {
        target.tensor = allocate(spec, Tag::gradients);
      } else if (slot->defined || slot->parameter != nullptr) {
        target = {slot->gradient, slot->defined && !(fault(303) && slot->parameter)};
      } else {
        target.tensor = donated_gradient(node, gradients, i, spec);
        if (!target.tensor.defined()) target.tensor = allocate(spec, Tag::gradients);
      }
    }
    targets.push_back(std::move(target));
    again.push_back(repeated);
  }

  {
    const Tensor workspace = scratch(node.backward_scratch_bytes);
    note_peak(node.op->name(), "backward");
    if (!dry()) {
      const OpContext ctx = context(wants, true);
      node.op->backward({node.saved, gradients, targets, ctx, launch(workspace)});
    }
  }
  backward_flops_ += node.backward_flops;

  for (std::size_t i = 0; i < targets.size(); ++i) {
    GradientSlot* slot = node.inputs[i];
    if (slot == nullptr) continue;
    if (again[i]) {
      add_to_slot(*slot, std::move(targets[i].tensor));
    } else {
      slot->gradient = std::move(targets[i].tensor);
      slot->defined = true;
    }
  }
}

// Adds a whole gradient tensor: the first one is taken over, unless someone else can still see it.
void Executor::add_to_slot(GradientSlot& slot, Tensor gradient) {
  const bool fixed = slot.parameter != nullptr;
  if (!slot.defined && !fixed && gradient.storage().use_count() == 1) {
    slot.gradient = std::move(gradient);
  } else {
    if (!slot.defined && !fixed) slot.gradient = allocate(gradient_spec(slot.spec), Tag::gradients);
    if (!dry()) {
      device_.kernels->copy(launch({}),
                            {gradient.matrix(), slot.gradient.matrix(), 1, slot.defined});
    }
  }
  slot.defined = true;
}

Values Executor::segment(Values inputs, Body body) {
  if (memory_mode_ != MemoryMode::recompute || !recording_) return body(*this, inputs);

  // First pass: nothing is recorded; slots are hidden so that no operation saves anything.
  Values hidden;
  for (const Value& input : inputs) hidden.push_back({input.tensor, nullptr});
  Values outputs;
  {
    const NoTape no_tape(*this);
    outputs = body(*this, hidden);
  }
  Node& node = tape_.nodes().emplace_back();
  node.segment = std::make_unique<Segment>();
  node.segment->body = std::move(body);
  for (const Value& input : inputs) node.inputs.push_back(checked_slot(input));
  node.segment->inputs = std::move(inputs);
  for (Value& output : outputs) {
    output.slot = is_float(output.dtype()) ? tape_.new_slot(output.tensor.spec()) : nullptr;
    output.tape_age = tape_.age();
    node.outputs.push_back(output.slot);
  }
  return outputs;
}

void Executor::backward_segment(Node& node) {
  Gradients gradients = take_gradients(node);
  if (!any_defined(gradients)) return;
  const std::size_t first_node = tape_.nodes().size();
  const std::size_t mark = tape_.slot_mark();

  const bool replaying_before = replaying_;
  replaying_ = true;
  try {
    // The inputs keep their slots: what the replay finds goes where the outer pass collects.
    const Values outputs = node.segment->body(*this, node.segment->inputs);
    node.segment->inputs.clear();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!gradients[i].defined() || outputs[i].slot == nullptr) continue;
      add_to_slot(*outputs[i].slot, std::move(gradients[i]));
    }
  } catch (...) {
    replaying_ = replaying_before;
    throw;
  }
  replaying_ = replaying_before;
  run_backward(first_node);
  tape_.release_slots(mark);
}

}  // namespace ffn::inline v0
