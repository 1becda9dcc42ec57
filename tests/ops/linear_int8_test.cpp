// linear() with weights of blocks and activations of 8 bits: when it takes them, and that plans
// know. What the product is, tests/kernels_product says.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

constexpr std::int64_t kIn = 96, kOut = 13;

class LinearInt8 : public testing::Test {
 protected:
  Device device(ActivationPrecision activations) const {
    Device device = cpu_device(*pool_);
    device.activations = activations;
    return device;
  }

  // y of `rows` rows of random numbers, and the scratch and other bytes that it took.
  struct Run {
    std::vector<float> y;
    std::int64_t peak_bytes = 0;
  };
  Run run(Device on, std::int64_t rows, DType weights = DType::q8_0, bool recording = false) const {
    Executor ex(on);
    ex.set_recording(recording);
    Run result;
    {
      const StepScope step(ex);
      const Tensor x = ex.allocate({{rows, kIn}, DType::f32, Role::activation});
      const Tensor weight = ex.allocate({{kOut, kIn}, weights, Role::activation});
      if (!ex.dry()) fill(x, weight);
      const Value in = recording ? ex.leaf(x) : ex.constant(x);
      const Value y = linear(ex, in, ex.constant(weight));
      if (!ex.dry()) {
        const auto values = host_span<float>(y.tensor);
        result.y.assign(values.begin(), values.end());
      }
    }
    result.peak_bytes = ex.report().peak_bytes;
    return result;
  }

 private:
  static void fill(const Tensor& x, const Tensor& weight) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    std::vector<float> row(kIn);
    for (std::int64_t h = 0; h < kOut; ++h) {
      for (float& element : row) element = value(random);
      std::byte* to = weight.data() + dtype_bytes(weight.dtype(), h * kIn);
      if (is_block(weight.dtype())) {
        quantize_row(weight.dtype(), row.data(), kIn, to);
      } else {
        std::memcpy(to, row.data(), row.size() * sizeof(float));
      }
    }
    for (float& element : host_span<float>(x)) element = value(random);
  }

  std::unique_ptr<ThreadPool> pool_ = make_thread_pool(2);
};

// The same numbers to about 1/254 of a group's largest, and not the same.
TEST_F(LinearInt8, BringsRowsTo8Bits) {
  const Run exact = run(device(ActivationPrecision::f32), 3);
  const Run rounded = run(device(ActivationPrecision::int8), 3);
  EXPECT_NE(exact.y, rounded.y);
  for (std::size_t i = 0; i < exact.y.size(); ++i)
    EXPECT_NEAR(exact.y[i], rounded.y[i], kIn / 254.0) << i;
}

TEST_F(LinearInt8, AutomaticMeansFewRows) {
  const auto same_as = [&](ActivationPrecision activations, std::int64_t rows) {
    return run(device(ActivationPrecision::automatic), rows).y == run(device(activations), rows).y;
  };
  EXPECT_TRUE(same_as(ActivationPrecision::int8, 1));
  EXPECT_TRUE(same_as(ActivationPrecision::int8, kDecodeRows));
  EXPECT_TRUE(same_as(ActivationPrecision::f32, kDecodeRows + 1));
  EXPECT_FALSE(same_as(ActivationPrecision::int8, kDecodeRows + 1));
}

// Rows of the result do not depend on how many there are.
TEST_F(LinearInt8, ARowIsItself) {
  const Run one = run(device(ActivationPrecision::int8), 1);
  Run many = run(device(ActivationPrecision::int8), 20);
  many.y.resize(one.y.size());
  EXPECT_EQ(one.y, many.y);
}

TEST_F(LinearInt8, OnlyWithBlocksAndUnrecorded) {
  for (const DType weights : {DType::f32, DType::q4_0}) {
    const bool recording = weights == DType::q4_0;
    EXPECT_EQ(run(device(ActivationPrecision::f32), 3, weights, recording).y,
              run(device(ActivationPrecision::int8), 3, weights, recording).y);
  }
}

TEST_F(LinearInt8, PlansSeeTheSameBytes) {
  for (const std::int64_t rows : {1, 8, 9, 70}) {
    for (const auto activations : {ActivationPrecision::automatic, ActivationPrecision::int8}) {
      const Device real = device(activations);
      EXPECT_EQ(run(real, rows).peak_bytes, run(dry_device(real), rows).peak_bytes) << rows;
    }
  }
}

// In double nothing is brought to 8 bits.
TEST_F(LinearInt8, TheReferenceDeviceMayTakeIt) {
  Device reference = reference_device();
  const Run exact = run(reference, 2);
  reference.activations = ActivationPrecision::int8;
  const Run rounded = run(reference, 2);
  EXPECT_NE(exact.y, rounded.y);
  const Run cpu = run(device(ActivationPrecision::int8), 2);
  for (std::size_t i = 0; i < cpu.y.size(); ++i) EXPECT_NEAR(rounded.y[i], cpu.y[i], 1e-5) << i;
}

}  // namespace
}  // namespace ffn
