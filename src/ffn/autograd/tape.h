// The record of one forward pass. Single owner; saved tensors are released as they are consumed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "ffn/autograd/op.h"
#include "ffn/autograd/value.h"

namespace ffn::inline v0 {

class Executor;

// A segment kept by its inputs: backward runs the body again.
struct Segment {
  Values inputs;
  std::function<Values(Executor&, std::span<const Value>)> body;
};

struct Node {
  std::unique_ptr<const Op> op;  // null: `segment` is set
  std::unique_ptr<Segment> segment;
  SmallVector<Tensor, kMaxSaved> saved;
  SmallVector<GradientSlot*, kMaxInputs> inputs;    // null: not wanted
  SmallVector<GradientSlot*, kMaxOutputs> outputs;  // null: not differentiable
  SmallVector<Alias, 2> gradient_may_alias;
  std::int64_t backward_scratch_bytes = 0;
  std::int64_t backward_flops = 0;
};

class Tape {
 public:
  std::vector<Node>& nodes() { return nodes_; }
  std::uint32_t age() const { return age_; }

  // A fresh slot with a stable address, valid until it is released or the tape is cleared.
  GradientSlot* new_slot(const TensorSpec& spec) {
    if (used_slots_ == slots_.size()) slots_.emplace_back();
    GradientSlot* slot = &slots_[used_slots_++];
    slot->spec = spec;
    slot->tape_age = age_;
    return slot;
  }
  std::size_t slot_mark() const { return used_slots_; }
  // Forgets every slot made since the mark.
  void release_slots(std::size_t mark) {
    while (used_slots_ > mark) {
      GradientSlot& slot = slots_[--used_slots_];
      slot.gradient = Tensor();
      slot.defined = false;
    }
  }
  void clear() {
    nodes_.clear();
    release_slots(0);
    ++age_;
  }

 private:
  std::vector<Node> nodes_;
  std::deque<GradientSlot> slots_;
  std::size_t used_slots_ = 0;
  std::uint32_t age_ = 1;
};

}  // namespace ffn::inline v0
