// The executor's memory: a pool by size, and from the second step on one slab in which every buffer
// has the place that the first step's trace gave it.
//
//   step 1:  every acquire/release is written down (trace); buffers come from the pool
//   step 2+: while the events are those of the trace, buffers are slab + planned offset;
//            at the first other event the rest of the step falls back to the pool, and the next
//            step is traced again
//
// The pool keeps no more than is worth it: before it asks the system for a block, idle blocks are
// given back until what is held stays at the most that was ever in use at once. So sizes that
// change from step to step (a prompt in pieces, whose keys grow) do not pile up, and a step that
// runs from the pool takes no more than the ledger says.
//
// On a dry device all of this happens without memory: addresses are null, numbers are the same.
// Under guard bytes (base/allocator.h, tests) every buffer is a block of its own, of exactly the
// bytes asked for, so that a write past its end is seen; pool and slab then rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ffn/autograd/slab_plan.h"
#include "ffn/base/ledger.h"
#include "ffn/tensor/storage.h"

namespace ffn::inline v0 {

class StepMemory : public std::enable_shared_from_this<StepMemory> {
 public:
  explicit StepMemory(bool dry);
  ~StepMemory();
  StepMemory(const StepMemory&) = delete;
  StepMemory& operator=(const StepMemory&) = delete;

  // A block of `bytes` (rounded up to 64), charged to `tag`; given back when its last handle is
  // gone, which may be after the executor is. Persistent blocks take no part in traces.
  StorageRef acquire(Tag tag, std::int64_t bytes);
  StorageRef acquire_persistent(Tag tag, std::int64_t bytes);

  void begin_step();
  void end_step();

  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  // Size of the slab that the last complete trace needs; 0 before the first step ended.
  std::int64_t slab_bytes() const { return plan_.bytes; }
  // True when the current (or last) step ran from the slab to its end.
  bool replayed() const { return replayed_; }
  // What was asked of the system so far: grows only while new memory is needed.
  std::uint64_t system_allocations() const { return system_allocations_; }
  std::int64_t system_bytes() const { return system_bytes_; }

 private:
  friend class StepStorage;
  enum class Mode { pool, trace, replay };

  // Where a block lies: its number in the step of age `step_age`, −1 for none; slab or pool.
  struct Place {
    std::byte* data = nullptr;
    std::int32_t number = -1;
    std::uint32_t step_age = 0;
    bool in_slab = false;
  };

  Place place(std::int64_t bytes);  // as requested
  void give_back(const Place& place, Tag tag, std::int64_t bytes, bool persistent);
  std::byte* from_pool(std::int64_t bytes);
  void to_pool(std::byte* data, std::int64_t bytes);
  // Makes room for `bytes` more among what was once in use: idle blocks of earlier steps go first.
  void make_room(std::int64_t bytes);
  void release_idle(std::int64_t most, bool of_this_step);
  std::byte* from_system(std::int64_t bytes);
  void to_system(std::byte* data, std::int64_t bytes);
  void empty_pool();
  void leave_trace();  // this step is not the traced one: the rest comes from the pool

  bool dry_;
  bool guarded_;
  Ledger ledger_;
  Mode mode_ = Mode::pool;
  std::vector<MemoryEvent> trace_;
  std::size_t cursor_ = 0;
  std::int32_t next_number_ = 0;
  std::uint32_t step_age_ = 0;
  bool trace_complete_ = false;
  bool replayed_ = false;
  SlabPlan plan_;
  std::byte* slab_ = nullptr;
  std::int64_t slab_allocated_bytes_ = 0;
  std::int64_t live_in_slab_ = 0;
  struct Idle {
    std::byte* data;
    std::uint32_t step_age;  // when it was given back
  };
  std::unordered_map<std::int64_t, std::vector<Idle>> pool_;  // by charged size, latest last
  std::int64_t idle_bytes_ = 0;                               // in the pool
  std::int64_t most_bytes_in_use_ = 0;  // of what came from the system, the slab as a whole
  std::uint64_t system_allocations_ = 0;
  std::int64_t system_bytes_ = 0;
};

}  // namespace ffn::inline v0
