#include "ffn/autograd/step_memory.h"

#include <gtest/gtest.h>

#include "support/counted_memory.h"

namespace ffn {
namespace {

std::shared_ptr<StepMemory> make_memory(bool dry = false) {
  return std::make_shared<StepMemory>(dry);
}

// A step that holds at most 1024 + 512 bytes.
void ordinary_step(StepMemory& memory) {
  memory.begin_step();
  {
    StorageRef a = memory.acquire(Tag::activations, 1000);
    const StorageRef b = memory.acquire(Tag::scratch, 512);
    a.reset();
    const StorageRef c = memory.acquire(Tag::activations, 1000);
    if (c->data() != nullptr) c->data()[999] = std::byte{1};
  }
  memory.end_step();
}

TEST(StepMemory, TheSecondStepRunsFromTheSlabAndTakesNothingMore) {
  const auto memory = make_memory();
  ordinary_step(*memory);
  EXPECT_EQ(memory->slab_bytes(), 1536);
  EXPECT_FALSE(memory->replayed());
  ordinary_step(*memory);
  EXPECT_TRUE(memory->replayed());
  EXPECT_EQ(memory->system_bytes(), 1536);
  const std::uint64_t allocations = memory->system_allocations();
  for (int step = 0; step < 5; ++step) ordinary_step(*memory);
  EXPECT_EQ(memory->system_allocations(), allocations);
}

TEST(StepMemory, ADryOneCountsTheSameAndTakesNothing) {
  const std::int64_t before = testing_support::aligned_allocations();
  const auto dry = make_memory(true);
  ordinary_step(*dry);
  ordinary_step(*dry);
  EXPECT_EQ(testing_support::aligned_allocations(), before);
  const auto real = make_memory();
  ordinary_step(*real);
  ordinary_step(*real);
  EXPECT_EQ(dry->slab_bytes(), real->slab_bytes());
  EXPECT_EQ(dry->ledger().peak_bytes(), real->ledger().peak_bytes());
  EXPECT_EQ(dry->ledger().bytes_at_peak(), real->ledger().bytes_at_peak());
}

TEST(StepMemory, AnotherTraceFallsBackAndIsLearntAnew) {
  const auto memory = make_memory();
  ordinary_step(*memory);
  ordinary_step(*memory);
  const auto other_step = [&] {
    memory->begin_step();
    const StorageRef a = memory->acquire(Tag::activations, 1000);
    const StorageRef b = memory->acquire(Tag::activations, 4096);  // 512 in the trace
    EXPECT_GE(a->data() > b->data() ? a->data() - b->data() : b->data() - a->data(), 1000);
    memory->end_step();
  };
  other_step();
  EXPECT_FALSE(memory->replayed());
  other_step();  // traced
  other_step();
  EXPECT_TRUE(memory->replayed());
  EXPECT_EQ(memory->slab_bytes(), 1024 + 4096);
}

TEST(StepMemory, AStepThatEndsEarlyIsAnotherTrace) {
  const auto memory = make_memory();
  ordinary_step(*memory);
  memory->begin_step();
  {
    const StorageRef a = memory->acquire(Tag::activations, 1000);
  }
  memory->end_step();
  EXPECT_FALSE(memory->replayed());
}

TEST(StepMemory, ABufferThatOutlivesItsStepKeepsItsBytes) {
  const auto memory = make_memory();
  ordinary_step(*memory);
  StorageRef held;
  memory->begin_step();
  {
    StorageRef a = memory->acquire(Tag::activations, 1000);
    const StorageRef b = memory->acquire(Tag::scratch, 512);
    a.reset();
    held = memory->acquire(Tag::activations, 1000);
    held->data()[0] = std::byte{42};
  }
  memory->end_step();
  ordinary_step(*memory);  // its slab is not free: this step runs from the pool
  EXPECT_FALSE(memory->replayed());
  EXPECT_EQ(held->data()[0], std::byte{42});
  held.reset();
  ordinary_step(*memory);
  EXPECT_TRUE(memory->replayed());
}

TEST(StepMemory, SizesThatChangeFromStepToStepDoNotPileUp) {
  const auto memory = make_memory();
  const std::int64_t steps = 50;
  for (std::int64_t step = 0; step < steps; ++step) {
    memory->begin_step();
    {
      const StorageRef steady = memory->acquire(Tag::activations, 2048);
      const StorageRef growing = memory->acquire(Tag::scratch, 4096 + 64 * step);
    }
    memory->end_step();
  }
  // The slab of a step, and the blocks of the next, which did not fit into it.
  EXPECT_LE(memory->system_bytes(), 2 * (2048 + 4096 + 64 * steps));
}

TEST(StepMemory, AStorageMayOutliveItsMemory) {
  if (!testing_support::counting()) GTEST_SKIP() << "nothing can be counted here";
  const std::int64_t before = testing_support::live_aligned_bytes();
  StorageRef storage = make_memory()->acquire(Tag::data, 100);
  storage->data()[99] = std::byte{7};
  EXPECT_EQ(testing_support::live_aligned_bytes(), before + 128);
  storage.reset();
  EXPECT_EQ(testing_support::live_aligned_bytes(), before);
}

TEST(StepMemory, PersistentBlocksTakeNoPartInTraces) {
  const auto memory = make_memory();
  ordinary_step(*memory);
  const StorageRef weights = memory->acquire_persistent(Tag::parameters, 4096);
  ordinary_step(*memory);
  EXPECT_TRUE(memory->replayed());
  EXPECT_EQ(memory->system_bytes(), 1536 + 4096);
  EXPECT_EQ(memory->ledger().live_bytes(Tag::parameters), 4096);
}

}  // namespace
}  // namespace ffn
