#include "ffn/autograd/step_memory.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ffn/base/allocator.h"

namespace ffn::inline v0 {

// A block of the executor's memory; its last handle gives it back.
class StepStorage final : public Storage {
 public:
  StepStorage(std::shared_ptr<StepMemory> memory, const StepMemory::Place& place, Tag tag,
              std::int64_t bytes, bool persistent)
      : Storage(place.data, bytes),
        memory_(std::move(memory)),
        place_(place),
        tag_(tag),
        persistent_(persistent) {}
  ~StepStorage() override { memory_->give_back(place_, tag_, bytes(), persistent_); }

  bool donatable() const override { return !persistent_; }

 private:
  std::shared_ptr<StepMemory> memory_;
  StepMemory::Place place_;
  Tag tag_;
  bool persistent_;
};

StepMemory::StepMemory(bool dry) : dry_(dry), guarded_(guard_bytes()) {}

StepMemory::~StepMemory() {
  empty_pool();
  to_system(slab_, slab_allocated_bytes_);
}

StorageRef StepMemory::acquire(Tag tag, std::int64_t bytes) {
  const Place where = place(bytes);
  ledger_.charge(tag, bytes);
  return std::make_shared<StepStorage>(shared_from_this(), where, tag, bytes, false);
}

StorageRef StepMemory::acquire_persistent(Tag tag, std::int64_t bytes) {
  Place where;
  if (bytes > 0) where.data = from_system(bytes);
  ledger_.charge(tag, bytes);
  return std::make_shared<StepStorage>(shared_from_this(), where, tag, bytes, true);
}

StepMemory::Place StepMemory::place(std::int64_t bytes) {
  Place where;
  if (bytes == 0) return where;
  const std::int64_t rounded = charged_bytes(bytes);
  where.step_age = step_age_;
  if (mode_ == Mode::replay) {
    const bool as_traced =
        cursor_ < trace_.size() && trace_[cursor_] == MemoryEvent{next_number_, true, rounded};
    if (as_traced) {
      ++cursor_;
      where.number = next_number_++;
      where.in_slab = true;
      ++live_in_slab_;
      if (!dry_) where.data = slab_ + plan_.offsets[static_cast<std::size_t>(where.number)];
      return where;
    }
    leave_trace();
  }
  if (mode_ == Mode::trace) {
    where.number = next_number_++;
    trace_.push_back({where.number, true, rounded});
  }
  where.data = from_pool(bytes);
  return where;
}

void StepMemory::give_back(const Place& where, Tag tag, std::int64_t bytes, bool persistent) {
  ledger_.release(tag, bytes);
  if (bytes == 0) return;
  if (persistent) {
    to_system(where.data, bytes);
    return;
  }
  // Buffers of an earlier step are no event of this one.
  if (where.number >= 0 && where.step_age == step_age_) {
    const MemoryEvent event{where.number, false, charged_bytes(bytes)};
    if (mode_ == Mode::trace) trace_.push_back(event);
    if (mode_ == Mode::replay) {
      if (cursor_ < trace_.size() && trace_[cursor_] == event) {
        ++cursor_;
      } else {
        leave_trace();
      }
    }
  }
  if (where.in_slab) {
    --live_in_slab_;
  } else {
    to_pool(where.data, bytes);
  }
}

void StepMemory::begin_step() {
  ++step_age_;
  next_number_ = 0;
  cursor_ = 0;
  replayed_ = false;
  if (!trace_complete_) {
    trace_.clear();
    mode_ = Mode::trace;
    return;
  }
  // Somebody may still hold a buffer of the last step: its bytes are not free.
  if (live_in_slab_ > 0 || guarded_) {
    mode_ = Mode::pool;
    return;
  }
  if (slab_allocated_bytes_ != plan_.bytes) {
    to_system(slab_, slab_allocated_bytes_);
    empty_pool();
    slab_ = from_system(plan_.bytes);
    slab_allocated_bytes_ = plan_.bytes;
  }
  mode_ = Mode::replay;
}

void StepMemory::end_step() {
  if (mode_ == Mode::trace) {
    plan_ = plan_slab(trace_);
    trace_complete_ = true;
  } else if (mode_ == Mode::replay) {
    // Buffers that outlive the step may be released later; a missing acquisition is a difference.
    replayed_ = cursor_ == trace_.size();
    if (!replayed_) leave_trace();
  }
  mode_ = Mode::pool;
}

void StepMemory::leave_trace() {
  mode_ = Mode::pool;
  trace_complete_ = false;
}

std::byte* StepMemory::from_pool(std::int64_t bytes) {
  if (dry_) return nullptr;
  if (guarded_) return from_system(bytes);
  const auto found = pool_.find(charged_bytes(bytes));
  if (found != pool_.end() && !found->second.empty()) {
    std::byte* data = found->second.back().data;
    found->second.pop_back();
    idle_bytes_ -= charged_bytes(bytes);
    return data;
  }
  make_room(charged_bytes(bytes));
  return from_system(bytes);
}

void StepMemory::make_room(std::int64_t bytes) {
  most_bytes_in_use_ = std::max(most_bytes_in_use_, system_bytes_ - idle_bytes_ + bytes);
  for (const bool of_this_step : {false, true})
    release_idle(most_bytes_in_use_ - bytes, of_this_step);
}

void StepMemory::release_idle(std::int64_t most, bool of_this_step) {
  for (auto size = pool_.begin(); size != pool_.end() && system_bytes_ > most;) {
    std::vector<Idle>& blocks = size->second;
    auto idle = blocks.begin();  // the oldest lie first
    for (; idle != blocks.end() && system_bytes_ > most; ++idle) {
      if (idle->step_age == step_age_ && !of_this_step) break;
      to_system(idle->data, size->first);
      idle_bytes_ -= size->first;
    }
    blocks.erase(blocks.begin(), idle);
    size = blocks.empty() ? pool_.erase(size) : std::next(size);
  }
}

void StepMemory::to_pool(std::byte* data, std::int64_t bytes) {
  if (data == nullptr) return;
  if (guarded_) {
    to_system(data, bytes);
  } else {
    pool_[charged_bytes(bytes)].push_back({data, step_age_});
    idle_bytes_ += charged_bytes(bytes);
  }
}

std::byte* StepMemory::from_system(std::int64_t bytes) {
  if (dry_ || bytes == 0) return nullptr;
  ++system_allocations_;
  system_bytes_ += charged_bytes(bytes);
  return static_cast<std::byte*>(allocate_bytes(bytes));
}

void StepMemory::to_system(std::byte* data, std::int64_t bytes) {
  if (data == nullptr) return;
  system_bytes_ -= charged_bytes(bytes);
  release_bytes(data, bytes);
}

void StepMemory::empty_pool() {
  for (auto& [bytes, blocks] : pool_) {
    for (const Idle& block : blocks) to_system(block.data, bytes);
  }
  pool_.clear();
  idle_bytes_ = 0;
}

}  // namespace ffn::inline v0
