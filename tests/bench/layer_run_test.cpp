#include "ffn/bench/layer_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ffn/bench/require_values.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;

std::vector<LayerCase> layers() {
  return {
      {.design = "glu(silu, hidden=24)", .width = 16, .rows = 11},
      {.design = "tiny(relu, hidden=16, layers=2)", .width = 16, .rows = 20},
      {.design = "dwconv(gelu, k=3)",
       .width = 8,
       .rows = 20,
       .tokens = 10,
       .grid = {3, 3, 1},
       .bias = true},
      {.design = "causal-dwconv(gelu, k=3)", .width = 8, .rows = 12, .tokens = 6, .causal = true},
      {.design = "moe(4, glu(silu, hidden=16), top=2, balance=0)",
       .width = 16,
       .rows = 24,
       .routing = RoutingShares::zipf},
      {.design = "soft-moe(4, mlp(gelu, hidden=16))", .width = 16, .rows = 24, .tokens = 8}};
}

// Every layer, dtype, pass and way of memory.
template <class Body>
void for_each_case(const Body& body) {
  for (LayerCase c : layers()) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      c.dtype = dtype;
      c.pass = Pass::forward;
      c.memory = MemoryMode::store;
      body(c);
      c.pass = Pass::backward;
      body(c);
      c.memory = MemoryMode::recompute;
      body(c);
    }
  }
}

TEST(LayerRun, TakesThePredictedBytes) {
  const auto pool = make_thread_pool(2);
  const Device device = cpu_device(*pool);
  for_each_case([&](const LayerCase& c) {
    LayerRun layer(device, c.dtype, c, first_rows(c.rows));
    layer.run();
    layer.run();
    const std::int64_t peak = layer.peak_bytes();
    EXPECT_EQ(peak, predicted_layer_bytes(device, c)) << c.design << " " << to_string(c.dtype);
    layer.run();
    EXPECT_EQ(layer.peak_bytes(), peak);
  });
}

TEST(LayerRun, EqualsTheReference) {
  const auto pool = make_thread_pool(2);
  for_each_case([&](const LayerCase& c) {
    LayerRun fast(cpu_device(*pool), c.dtype, c, first_rows(c.rows));
    LayerRun exact(reference_device(), DType::f64, c, first_rows(c.rows));
    exact.copy_weights(fast);
    std::vector<NamedValues> expected = exact.results();
    std::vector<NamedValues> found = fast.results();
    EXPECT_EQ(found.size() > 2, c.pass == Pass::backward) << c.design;
    EXPECT_NO_THROW(require_values(c.design, expected, found, c.dtype));
    // One wrong number in the last part is found.
    double largest = 0;
    for (const double value : expected.back().values) largest = std::max(largest, std::abs(value));
    found.back().values.front() += 0.1 * largest + 1e-3;
    expect_error(ErrorKind::device, {c.design, expected.back().name},
                 [&] { require_values(c.design, expected, found, c.dtype); });
  });
}

TEST(LayerRun, RoutingFitsTheDesign) {
  const Device device = cpu_device(serial_pool());
  LayerCase c{.design = "moe(4, mlp(gelu, hidden=16), top=2)", .width = 8, .rows = 4};
  expect_error(ErrorKind::config, {"must be uniform or zipf"},
               [&] { LayerRun(device, c.dtype, c, first_rows(4)); });
  c.design = "mlp(gelu)";
  c.routing = RoutingShares::uniform;
  expect_error(ErrorKind::config, {"no choice of experts"},
               [&] { LayerRun(device, c.dtype, c, first_rows(4)); });
}

TEST(SpreadRows, HoldTheFirstAndTheLast) {
  EXPECT_EQ(spread_rows(2048, 3), (std::vector<std::int64_t>{0, 1023, 2047}));
  EXPECT_EQ(spread_rows(2, 8), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(spread_rows(5, 1), (std::vector<std::int64_t>{4}));
}

}  // namespace
}  // namespace ffn
