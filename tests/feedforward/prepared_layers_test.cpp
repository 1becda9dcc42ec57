// Layers whose weights were packed beforehand: the same bits, kept once, made anew after a change.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feedforward/designs.h"
#include "ffn/autograd/initialize.h"
#include "ffn/autograd/prepared.h"
#include "ffn/ops/fused/dense_layer.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

constexpr std::int64_t kDesignWidth = 40;

class BuiltLayer {
 public:
  BuiltLayer(const Device& device, const std::string& design, DType dtype)
      : ex_(device), dtype_(dtype) {
    FeedForwardSite site;
    site.width = kDesignWidth;
    site.bias = true;
    site.weight_init = {Init::Kind::normal, 0, 0.2};
    const DesignRegistry& designs = standard_designs();
    layer_ = designs.build(designs.parse(design), site, parameters_);
    parameters_.finalize(ex_, dtype);
    initialize_all(ex_, parameters_, 5);
  }

  Executor& ex() { return ex_; }
  PreparedWeights& prepared() { return prepared_; }
  std::int64_t prepared_bytes() const { return ex_.ledger().live_bytes(Tag::prepared); }

  Value input(std::int64_t rows) {
    const TensorSpec spec{{rows, kDesignWidth}, dtype_};
    const Tensor x = ex_.allocate_persistent(spec, Tag::data);
    if (!ex_.dry()) set_host_values(x, numbers("x", rows * kDesignWidth, 1));
    return ex_.constant(x);
  }
  std::vector<double> infer(std::int64_t rows) {
    const EvalScope eval(ex_);
    return host_values(layer_->forward(ex_, input(rows), 1).tensor);
  }
  void run(std::int64_t rows) {
    const EvalScope eval(ex_);
    layer_->forward(ex_, input(rows), 1);
  }
  void change_weights() {
    for (Parameter& parameter : parameters_.all()) {
      std::vector<double> values = host_values(parameter.master);
      for (double& value : values) value *= 0.5;
      set_host_values(parameter.master, values);
    }
    parameters_.weights_changed(ex_);
  }

 private:
  Executor ex_;
  DType dtype_;
  ParameterSet parameters_;
  PreparedWeights prepared_;
  std::unique_ptr<FeedForward> layer_;
};

struct PreparedCase {
  const char* design;
  DType dtype;
};
std::ostream& operator<<(std::ostream& out, const PreparedCase& c) {
  return out << c.design << " " << to_string(c.dtype);
}

// 700 hidden units are two strips whose border is no multiple of any panel.
class PreparedLayers : public testing::TestWithParam<PreparedCase> {};
INSTANTIATE_TEST_SUITE_P(
    Layers, PreparedLayers,
    testing::Values(PreparedCase{"mlp(gelu, hidden=700)", DType::f32},
                    PreparedCase{"mlp(gelu, hidden=700)", DType::bf16},
                    PreparedCase{"glu(silu, hidden=700)", DType::f32},
                    PreparedCase{"glu(silu, hidden=700)", DType::bf16},
                    PreparedCase{"moe(3, glu(silu, hidden=50), top=2)", DType::f32},
                    PreparedCase{"moe(3, mlp(gelu, hidden=700), top=1)", DType::bf16}));

TEST_P(PreparedLayers, ChangeNoBit) {
  for (const int threads : {1, 2}) {
    const auto pool = make_thread_pool(threads);
    for (const Isa isa : supported_isas()) {
      BuiltLayer layer(cpu_device(*pool, isa), GetParam().design, GetParam().dtype);
      for (const std::int64_t rows : {3, 24, 61, 300}) {
        layer.ex().set_prepared(nullptr);
        const std::vector<double> expected = layer.infer(rows);
        layer.ex().set_prepared(&layer.prepared());
        EXPECT_EQ(layer.infer(rows), expected) << to_string(isa) << " rows " << rows;
      }
      EXPECT_GT(layer.prepared_bytes(), 0);
    }
  }
}

TEST_P(PreparedLayers, AreKeptOnceAndFollowTheWeights) {
  BuiltLayer layer(cpu_device(serial_pool()), GetParam().design, GetParam().dtype);
  layer.ex().set_prepared(&layer.prepared());
  const std::vector<double> before = layer.infer(61);
  const std::int64_t bytes = layer.prepared_bytes();
  EXPECT_EQ(layer.infer(61), before);
  EXPECT_EQ(layer.prepared_bytes(), bytes);
  layer.change_weights();
  const std::vector<double> after = layer.infer(61);
  EXPECT_NE(after, before);
  EXPECT_EQ(layer.prepared_bytes(), bytes);
  layer.ex().set_prepared(nullptr);
  EXPECT_EQ(layer.infer(61), after);
}

TEST_P(PreparedLayers, ArePlannedToTheByte) {
  const Device device = cpu_device(serial_pool());
  BuiltLayer dry(dry_device(device), GetParam().design, GetParam().dtype);
  BuiltLayer real(device, GetParam().design, GetParam().dtype);
  for (BuiltLayer* layer : {&dry, &real}) {
    layer->ex().set_prepared(&layer->prepared());
    layer->run(61);
  }
  EXPECT_EQ(dry.ex().report(), real.ex().report());
}

TEST(PreparedLayers, AreOfPassesWithoutATapeOnly) {
  BuiltLayer layer(cpu_device(serial_pool()), "glu(silu, hidden=50)", DType::f32);
  layer.ex().set_prepared(&layer.prepared());
  EXPECT_EQ(layer.ex().prepared(), nullptr);  // an executor records from the start
  const NoTape no_tape(layer.ex());
  EXPECT_EQ(layer.ex().prepared(), &layer.prepared());
}

TEST(PreparedLayers, DoNotExistOnTheReference) {
  BuiltLayer layer(reference_device(), "glu(silu, hidden=50)", DType::f32);
  const std::vector<double> expected = layer.infer(20);
  layer.ex().set_prepared(&layer.prepared());
  EXPECT_EQ(layer.infer(20), expected);
  EXPECT_EQ(layer.prepared_bytes(), 0);
}

TEST(PreparedLayers, OfAnotherShapeAreRefused) {
  Executor ex(cpu_device(serial_pool()));
  const NoTape no_tape(ex);
  const auto empty = [&](const Shape& shape, DType dtype) {
    return ex.constant(ex.allocate_persistent({shape, dtype}, Tag::data));
  };
  LayerWeights weights;
  weights.up = empty({64, 16}, DType::f32);
  weights.down = empty({16, 64}, DType::f32);
  const auto kind_of_error = [&](const Tensor& packed) -> std::optional<ErrorKind> {
    weights.packed = packed;
    try {
      dense_layer(ex, empty({20, 16}, DType::f32), weights, Activation::gelu);
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  };
  EXPECT_EQ(kind_of_error(empty({640}, DType::u8).tensor), ErrorKind::shape);
  EXPECT_EQ(kind_of_error(empty({2048}, DType::f32).tensor), ErrorKind::dtype);
}

}  // namespace
}  // namespace ffn::test
