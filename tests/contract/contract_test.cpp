// The eight hard cases under the whole contract: planned to the byte, gradients by complex step,
// recomputed bit for bit, the same for any number of threads, on every device.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "contract/hard_case.h"
#include "ffn/base/scalar.h"
#include "support/counted_memory.h"

namespace ffn::contract {
namespace {

struct CaseEntry {
  const char* name;
  std::unique_ptr<HardCase> (*make)();
};

constexpr CaseEntry kCases[] = {
    {"ragged_experts", ragged_experts},
    {"kv_cache", kv_cache},
    {"batch_norm_recompute", batch_norm_recompute},
    {"tied_embedding", tied_embedding},
    {"lora_on_int4", lora_on_int4},
    {"bf16_master", bf16_master},
    {"mapped_packed", mapped_packed},
    {"tap_replaced", tap_replaced},
};

constexpr int kSteps = 3;  // traced, replayed, replayed

// All that a run leaves, as bytes and numbers.
struct Outcome {
  std::vector<double> losses;
  std::vector<std::byte> bits;  // gradients, then left_behind(), after the last step
  std::vector<double> gradients;
  PlanReport report;
  std::int64_t system_bytes = 0;      // what the executor says it took from the system
  std::int64_t counted_bytes = 0;     // what operator new saw
  std::int64_t persistent_bytes = 0;  // live in the ledger between steps
  bool replayed = false;
};

void append_bits(const Tensor& tensor, std::vector<std::byte>& bits) {
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    const std::byte* data = tensor.data() + dtype_bytes(tensor.dtype(), row * tensor.ld());
    bits.insert(bits.end(), data, data + dtype_bytes(tensor.dtype(), tensor.cols()));
  }
}

Outcome run(const CaseEntry& entry, const Device& device, MemoryMode mode, DType compute) {
  Outcome outcome;
  const std::int64_t before = testing_support::live_aligned_bytes();
  Executor ex(device, mode);
  const std::unique_ptr<HardCase> model = entry.make();
  model->build(ex, compute);
  ex.reset_report();
  for (int step = 0; step < kSteps; ++step) {
    ex.set_step(static_cast<std::uint64_t>(step));
    model->parameters.reset_gradients();
    const StepScope scope(ex);
    Value loss = model->loss(ex);
    if (!ex.dry()) outcome.losses.push_back(host_values(loss.tensor)[0]);
    ex.backward(loss);
    model->parameters.complete_gradients(ex);
    if (step + 1 == kSteps && !ex.dry()) {
      append_bits(model->parameters.gradients(), outcome.bits);
      outcome.gradients = host_values(model->parameters.gradients());
    }
    model->update(ex);
  }
  if (!ex.dry())
    for (const Tensor& tensor : model->left_behind()) append_bits(tensor, outcome.bits);
  outcome.report = ex.report();
  outcome.system_bytes = ex.step_memory().system_bytes();
  outcome.persistent_bytes = ex.ledger().live_bytes();
  outcome.counted_bytes = testing_support::live_aligned_bytes() - before;
  outcome.replayed = ex.step_memory().replayed();
  return outcome;
}

// Every device of this machine that can run the case.
std::vector<Device> real_devices(ThreadPool& threads) {
  std::vector<Device> devices = {reference_device()};
  for (const Isa isa : supported_isas()) devices.push_back(cpu_device(threads, isa));
  return devices;
}

class Contract : public ::testing::TestWithParam<CaseEntry> {};

TEST_P(Contract, PredictedEqualsMeasuredToTheByte) {
  const auto threads = make_thread_pool(2);
  for (const Device& device : real_devices(*threads)) {
    for (const MemoryMode mode : {MemoryMode::store, MemoryMode::recompute}) {
      SCOPED_TRACE(std::string(device.name));
      const DType compute = GetParam().make()->compute();
      const Outcome real = run(GetParam(), device, mode, compute);
      const Outcome dry = run(GetParam(), dry_device(device), mode, compute);
      EXPECT_EQ(dry.report, real.report);
      EXPECT_GT(real.report.slab_bytes, 0);
      EXPECT_TRUE(real.replayed);
      // From the second step on the process holds the slab and what outlives steps, nothing else.
      EXPECT_EQ(real.system_bytes, real.persistent_bytes + real.report.slab_bytes);
      if (!testing_support::counting()) continue;
      EXPECT_EQ(real.counted_bytes, real.system_bytes);
      EXPECT_EQ(dry.counted_bytes, 0);
    }
  }
}

TEST_P(Contract, RecomputeIsBitEqualToStoring) {
  const auto threads = make_thread_pool(2);
  const DType compute = GetParam().make()->compute();
  for (const Device& device : real_devices(*threads)) {
    SCOPED_TRACE(std::string(device.name));
    const Outcome stored = run(GetParam(), device, MemoryMode::store, compute);
    const Outcome again = run(GetParam(), device, MemoryMode::recompute, compute);
    EXPECT_EQ(stored.losses, again.losses);
    EXPECT_TRUE(stored.bits == again.bits);
  }
}

TEST_P(Contract, ThreadsDoNotChangeABit) {
  const auto one = make_thread_pool(1), two = make_thread_pool(2), three = make_thread_pool(3);
  const DType compute = GetParam().make()->compute();
  for (const Isa isa : supported_isas()) {
    SCOPED_TRACE(std::string(to_string(isa)));
    const Outcome first = run(GetParam(), cpu_device(*one, isa), MemoryMode::store, compute);
    for (ThreadPool* pool : {two.get(), three.get()}) {
      const Outcome other = run(GetParam(), cpu_device(*pool, isa), MemoryMode::store, compute);
      EXPECT_EQ(first.losses, other.losses);
      EXPECT_TRUE(first.bits == other.bits);
    }
  }
}

// d loss / d weights along a random direction v: Im L(w + i·h·v)/h against ⟨g, v⟩ in f64.
TEST_P(Contract, GradientsAgreeWithTheComplexStep) {
  constexpr double kStepSize = 1e-20;
  const Outcome exact = run(GetParam(), reference_device(), MemoryMode::store, DType::f64);
  for (std::uint64_t direction = 0; direction < 3; ++direction) {
    Executor ex(reference_device());
    const std::unique_ptr<HardCase> model = GetParam().make();
    model->build(ex, DType::c128);
    const RandomStream stream(direction, "direction");
    const std::span<Complex> weights = host_span<Complex>(model->parameters.weights());
    ASSERT_EQ(weights.size(), exact.gradients.size());
    double expected = 0, terms = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double v = stream.normal(0, i);
      weights[i] += Complex(0, kStepSize * v);
      expected += exact.gradients[i] * v;
      terms += std::abs(exact.gradients[i] * v);
    }
    ex.set_recording(false);
    double found = 0;
    for (int step = 0; step < kSteps; ++step) {  // states as in the last step
      const StepScope scope(ex);
      found = host_span<Complex>(model->loss(ex).tensor)[0].imag() / kStepSize;
    }
    EXPECT_GT(terms, 0);
    EXPECT_NEAR(found, expected, 1e-12 * terms);
  }
}

// The cpu in f32 (or bf16) against the reference in f64 on the same weights and data. Every case is
// at most 8 roundings deep per path with reductions of at most 128 terms whose errors add like
// their count: relative to the largest gradient 8·128·u, u = 2^-24 for f32; bf16 rounds
// activations, so its unit is 2^-8 and sums do not add to it.
TEST_P(Contract, EveryIsaAgreesWithTheReference) {
  const auto threads = make_thread_pool(2);
  const DType compute = GetParam().make()->compute();
  const double tolerance = compute == DType::bf16 ? 8 * 0x1p-8 : 8 * 128 * 0x1p-24;
  const Outcome exact = run(GetParam(), reference_device(), MemoryMode::store, DType::f64);
  double largest = 0;
  for (const double g : exact.gradients) largest = std::max(largest, std::abs(g));
  for (const Device& device : real_devices(*threads)) {
    SCOPED_TRACE(std::string(device.name));
    const Outcome found = run(GetParam(), device, MemoryMode::store, compute);
    EXPECT_NEAR(found.losses[0], exact.losses[0], tolerance * std::max(1.0, exact.losses[0]));
    if (compute == DType::bf16) continue;  // its optimizer moves the weights between the steps
    for (std::size_t i = 0; i < exact.gradients.size(); ++i) {
      ASSERT_NEAR(found.gradients[i], exact.gradients[i], tolerance * largest) << "element " << i;
    }
  }
}

// With guard bytes every buffer is a block of its own, filled with NaN: a write outside or a read
// of memory that nobody wrote shows.
TEST_P(Contract, GuardsStayWholeAndNothingUnwrittenIsRead) {
  const auto threads = make_thread_pool(2);
  const DType compute = GetParam().make()->compute();
  for (const Device& device : real_devices(*threads)) {
    for (const MemoryMode mode : {MemoryMode::store, MemoryMode::recompute}) {
      SCOPED_TRACE(std::string(device.name));
      const Outcome plain = run(GetParam(), device, mode, compute);
      const testing_support::GuardScope guards;
      const Outcome guarded = run(GetParam(), device, mode, compute);
      EXPECT_EQ(guards.violations(), 0);
      EXPECT_EQ(plain.losses, guarded.losses);
      EXPECT_TRUE(plain.bits == guarded.bits);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(HardCases, Contract, ::testing::ValuesIn(kCases),
                         [](const auto& entry) { return std::string(entry.param.name); });

}  // namespace
}  // namespace ffn::contract
