// What masks and states contain: the parts of operations that no gradient sees.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/dropout.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

Value numbers(Executor& ex, const Shape& shape, const Numbers& values) {
  const Tensor tensor = ex.allocate({shape, DType::f32});
  set_host_values(tensor, values);
  return ex.constant(tensor);
}

std::vector<Device> devices() {
  std::vector<Device> all{reference_device()};
  for (const Isa isa : supported_isas()) all.push_back(cpu_device(serial_pool(), isa));
  return all;
}

// Element i is kept exactly where word i of the stream at the executor's step reaches the
// threshold.
TEST(OpIndices, DropoutFollowsTheStream) {
  constexpr float p = 0.25f;
  const RandomStream stream(5, "mlp.dropout");
  for (const Device& device : devices()) {
    Executor ex(device);
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}}) {
      ex.set_step(step);
      const Value y = dropout(ex, numbers(ex, {5, 13}, Numbers(65, 3)), p, stream);
      const Numbers values = host_values(y.tensor);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool kept = stream.word(step, i) >= 0x40000000u;
        EXPECT_EQ(values[i], kept ? 4 : 0) << device.name << " step " << step << " element " << i;
      }
    }
  }
}

TEST(OpIndices, DropoutIsTheIdentityInEvalAndAtZero) {
  Executor ex(reference_device());
  const Value x = numbers(ex, {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(dropout(ex, x, 0, RandomStream(1)).tensor.storage(), x.tensor.storage());
  ex.set_training(false);
  EXPECT_EQ(dropout(ex, x, 0.5f, RandomStream(1)).tensor.storage(), x.tensor.storage());
}

// mean 2, variance 2 (unbiased 8/3): running (1, 1) moves by a quarter of the way, once per step.
TEST(OpIndices, BatchNormCommitsItsStateOnce) {
  for (const Device& device : devices()) {
    Executor ex(device);
    State running{"bn", ex.allocate_persistent({{2, 1}, DType::f32, Role::state}, Tag::state), {}};
    set_host_values(running.tensor, Numbers{1, 1});
    {
      const StepScope step(ex);
      const Value x = numbers(ex, {4, 1}, {0, 2, 2, 4});
      batch_norm(ex, x, {}, {}, running, 1e-5f, 0.25f);
      EXPECT_EQ(host_values(running.tensor), (Numbers{1, 1})) << "before the step ends";
      EXPECT_THROW(batch_norm(ex, x, {}, {}, running), Error) << "twice in one step";
    }
    const Numbers after = host_values(running.tensor);
    EXPECT_NEAR(after[0], 1.25, 2 * 0x1p-24 * 1.25) << device.name;
    // Four roundings: the variance, its unbiased form, the two weights.
    EXPECT_NEAR(after[1], 0.75 + 0.25 * 8 / 3, 4 * 0x1p-24 * 2) << device.name;

    ex.set_training(false);
    batch_norm(ex, numbers(ex, {2, 1}, {5, 6}), {}, {}, running);
    ex.commit_states();
    EXPECT_EQ(host_values(running.tensor), after) << "eval changed the state";
  }
}

TEST(OpIndices, CacheKeepsWhatWasAppended) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const NoTape no_tape(ex);
    State cache{"k", ex.allocate_persistent({{4, 2}, DType::bf16, Role::state}, Tag::state), {}};
    set_host_values(cache.tensor, Numbers(8, -1));
    cache_append(ex, cache, numbers(ex, {2, 2}, {1, 2, 3, 4}), 0);
    const Value rows = cache_append(ex, cache, numbers(ex, {1, 2}, {5, 6}), 2);
    EXPECT_EQ(rows.tensor.storage(), cache.tensor.storage());
    EXPECT_EQ(rows.shape(), (Shape{3, 2}));
    EXPECT_EQ(host_values(rows.tensor), (Numbers{1, 2, 3, 4, 5, 6})) << device.name;
    EXPECT_EQ(host_values(cache.tensor), (Numbers{1, 2, 3, 4, 5, 6, -1, -1})) << device.name;
  }
}

}  // namespace
}  // namespace ffn::test
