#include "ffn/layers/rms_norm_layer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ffn/autograd/initialize.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

// At its start the layer only scales rows to a mean square of 1, whatever the offset: x = (3, −4)
// has one of 12.5. Tolerance: 8 roundings of a number below 2.
TEST(RmsNormLayer, StartsAsAPlainNorm) {
  for (const float offset : {0.0f, 1.0f}) {
    Executor ex(reference_device());
    ParameterSet parameters;
    const RmsNormLayer layer(parameters, "model.norm", 2, 0, offset);
    parameters.finalize(ex, DType::f32);
    initialize_all(ex, parameters, 1);
    EXPECT_EQ(host_values(parameters.at("model.norm.weight").master),
              Numbers(2, 1 - static_cast<double>(offset)));
    const Tensor x = ex.allocate({{1, 2}, DType::f32});
    set_host_values(x, Numbers{3, -4});
    const Numbers y = host_values(layer.forward(ex, ex.constant(x)).tensor);
    EXPECT_NEAR(y[0], 3 / std::sqrt(12.5), 16 * 0x1p-24) << offset;
    EXPECT_NEAR(y[1], -4 / std::sqrt(12.5), 16 * 0x1p-24) << offset;
  }
}

TEST(RmsNormLayer, ItsWeightStaysPreciseAndIsNotDecayed) {
  Executor ex(reference_device());
  ParameterSet parameters;
  const RmsNormLayer layer(parameters, "norm", 5, 1e-6f, 0);
  parameters.finalize(ex, DType::bf16);
  EXPECT_EQ(parameters.at("norm.weight").value.dtype(), DType::f32);
  EXPECT_EQ(parameters.decayed_elements(), 0);
}

}  // namespace
}  // namespace ffn::test
