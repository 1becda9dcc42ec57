#include "ffn/autograd/executor.h"

#include <gtest/gtest.h>

#include "ffn/autograd/parameters.h"
#include "ffn/base/error.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"
#include "support/counted_memory.h"

namespace ffn {
namespace {

Tensor tensor_of(Executor& ex, const Shape& shape, const std::vector<double>& values,
                 DType dtype = DType::f64) {
  const Tensor tensor = ex.allocate_persistent({shape, dtype, Role::activation}, Tag::data);
  set_host_values(tensor, values);
  return tensor;
}

// The message of the Error that `body` throws; empty when it throws none.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Executor, DonatesABufferWhoseLastHandleIsGivenAway) {
  Executor ex(reference_device());
  const NoTape no_tape(ex);
  const Value x = ex.constant(tensor_of(ex, {1, 2}, {-1, 2}));
  Value sum = add(ex, x, x);
  const std::byte* buffer = sum.tensor.data();
  const Value kept = sum;
  const Value first = relu(ex, std::move(sum));  // `kept` still sees it
  EXPECT_NE(first.tensor.data(), buffer);
  Value again = kept;
  const_cast<Value&>(kept) = Value{};
  const Value second = relu(ex, std::move(again));
  EXPECT_EQ(second.tensor.data(), buffer);
  EXPECT_EQ(host_values(second.tensor), (std::vector<double>{0, 4}));
  // Inputs that the caller allocated for good are never overwritten.
  EXPECT_EQ(host_values(x.tensor), (std::vector<double>{-1, 2}));
}

TEST(Executor, AnInputThatStandsTwiceGetsBothGradients) {
  Executor ex(reference_device());
  const Value x = ex.leaf(tensor_of(ex, {1, 3}, {1, 2, 3}));
  const Value y = multiply(ex, x, x);  // dy/dx = 2x
  ex.backward(y, tensor_of(ex, {1, 3}, {1, 10, 100}));
  EXPECT_EQ(host_values(ex.gradient(x)), (std::vector<double>{2, 40, 600}));
}

TEST(Executor, GradientsOfSeveralUsesAddUp) {
  Executor ex(reference_device());
  const Value x = ex.leaf(tensor_of(ex, {1, 2}, {3, -1}));
  const Value y = add(ex, multiply(ex, x, x), scale(ex, x, 5));
  ex.backward(y, tensor_of(ex, {1, 2}, {1, 1}));
  EXPECT_EQ(host_values(ex.gradient(x)), (std::vector<double>{11, 3}));
}

TEST(Executor, ALeafThatNothingReachedHasNoGradient) {
  Executor ex(reference_device());
  const Value x = ex.leaf(tensor_of(ex, {1, 1}, {1}));
  const Value unused = ex.leaf(tensor_of(ex, {1, 1}, {1}));
  ex.backward(scale(ex, x, 2));
  EXPECT_EQ(host_values(ex.gradient(x))[0], 2);
  EXPECT_FALSE(ex.gradient(unused).defined());
}

TEST(Executor, SegmentsNest) {
  for (const MemoryMode mode : {MemoryMode::store, MemoryMode::recompute}) {
    Executor ex(reference_device(), mode);
    int runs = 0;
    const auto inner_body = [&](Executor& inner, std::span<const Value> in) -> Values {
      ++runs;
      return {multiply(inner, in[0], in[0])};
    };
    const auto outer_body = [&](Executor& inner, std::span<const Value> in) -> Values {
      const Values squared = inner.segment({in[0]}, inner_body);
      return {multiply(inner, squared[0], in[0])};
    };
    const Value x = ex.leaf(tensor_of(ex, {1, 2}, {2, 3}));
    const Values cubed = ex.segment({x}, outer_body);  // x³
    ex.backward(cubed[0], tensor_of(ex, {1, 2}, {1, 1}));
    EXPECT_EQ(host_values(ex.gradient(x)), (std::vector<double>{12, 27}));
    // First pass, the outer replay's first pass, and the inner replay.
    EXPECT_EQ(runs, mode == MemoryMode::store ? 1 : 3);
    EXPECT_FALSE(ex.replaying());
  }
}

TEST(Executor, ASegmentMayReturnItsInput) {
  Executor ex(reference_device(), MemoryMode::recompute);
  const Value x = ex.leaf(tensor_of(ex, {1, 1}, {4}));
  const auto body = [](Executor& inner, std::span<const Value> in) -> Values {
    return {in[0], scale(inner, in[0], 3)};
  };
  const Values out = ex.segment({x}, body);
  ex.backward(add(ex, out[0], out[1]));
  EXPECT_EQ(host_values(ex.gradient(x))[0], 4);
}

TEST(Executor, AValueOfAClearedTapeIsRefused) {
  Executor ex(reference_device());
  const Value x = ex.leaf(tensor_of(ex, {1, 1}, {1}));
  ex.clear_tape();
  EXPECT_NE(error_of([&] { scale(ex, x, 2); }).find("before the tape was cleared"),
            std::string::npos);
}

TEST(Executor, WhatCannotGoBackIsRefused) {
  Executor ex(reference_device());
  const Tensor two = tensor_of(ex, {1, 2}, {1, 2});
  EXPECT_NE(error_of([&] { ex.backward(ex.constant(two)); }).find("[1, 1] loss"),
            std::string::npos);
  EXPECT_NE(error_of([&] { ex.backward(ex.constant(two), two); }).find("nothing was recorded"),
            std::string::npos);
  const Value y = scale(ex, ex.leaf(two), 2);
  const Tensor seed = tensor_of(ex, {1, 1}, {1});
  EXPECT_NE(error_of([&] { ex.backward(y, seed); }).find("the seed is [1, 1]"), std::string::npos);
}

TEST(Executor, ACacheIsNotWrittenUnderATape) {
  Executor ex(reference_device());
  State cache{"keys", ex.allocate_persistent({{4, 2}, DType::f64, Role::state}, Tag::state), {}};
  const Value x = ex.constant(tensor_of(ex, {1, 2}, {1, 2}));
  EXPECT_NE(error_of([&] { cache_append(ex, cache, x, 0); }).find("NoTape"), std::string::npos);
  const NoTape no_tape(ex);
  EXPECT_EQ(host_values(cache_append(ex, cache, x, 0).tensor), (std::vector<double>{1, 2}));
  EXPECT_NE(error_of([&] { cache_append(ex, cache, x, 4); }), "");  // past the bound
}

TEST(Executor, AFailedStepCommitsNothing) {
  Executor ex(reference_device());
  State running{
      "running", ex.allocate_persistent({{2, 1}, DType::f64, Role::state}, Tag::state), {}};
  set_host_values(running.tensor, std::vector<double>{0, 1});
  const Value x = ex.constant(tensor_of(ex, {3, 1}, {1, 2, 6}));
  const Value one = ex.constant(tensor_of(ex, {1}, {1}));
  const auto step = [&](bool fails) {
    const StepScope scope(ex);
    batch_norm(ex, x, one, one, running);
    if (fails) fail(ErrorKind::io, "test", "the disk is full");
  };
  EXPECT_THROW(step(true), Error);
  EXPECT_EQ(host_values(running.tensor), (std::vector<double>{0, 1}));
  step(false);
  // 0.9·(0, 1) + 0.1·(3, 7): mean 3, unbiased variance 7; momentum is the float nearest 0.1.
  EXPECT_NEAR(host_values(running.tensor)[0], 0.3, 1e-7);
  EXPECT_NEAR(host_values(running.tensor)[1], 1.6, 1e-7);
}

TEST(Executor, AStateWrittenTwiceInAStepIsRefused) {
  Executor ex(reference_device());
  State running{
      "running", ex.allocate_persistent({{2, 1}, DType::f64, Role::state}, Tag::state), {}};
  const Value pending = ex.constant(tensor_of(ex, {2, 1}, {0, 1}));
  ex.update_state(running, pending);
  EXPECT_NE(error_of([&] { ex.update_state(running, pending); }).find("twice"), std::string::npos);
  ex.abandon_step();
}

TEST(Executor, ATrainingStepAllocatesNoTensorAfterTheFirst) {
  const auto threads = make_thread_pool(2);
  Executor ex(cpu_device(*threads));
  ParameterSet parameters;
  parameters.add("up", {32, 16});
  parameters.add("down", {1, 32});
  parameters.finalize(ex, DType::f32);
  const Tensor x = tensor_of(ex, {1, 16}, std::vector<double>(16, 0.5), DType::f32);
  const auto step = [&] {
    parameters.reset_gradients();
    const StepScope scope(ex);
    Value h = linear(ex, ex.constant(x), ex.parameter(parameters.at("up")));
    h = gelu(ex, std::move(h));
    ex.backward(linear(ex, std::move(h), ex.parameter(parameters.at("down"))));
  };
  step();
  step();
  const std::int64_t before = testing_support::aligned_allocations();
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(testing_support::aligned_allocations(), before);
}

TEST(Executor, ReadingADryTensorIsAnError) {
  Executor ex(dry_device(reference_device()));
  const Tensor x = ex.allocate({{1, 4}, DType::f32, Role::activation});
  EXPECT_NE(error_of([&] { host_values(x); }).find("dry device"), std::string::npos);
}

}  // namespace
}  // namespace ffn
