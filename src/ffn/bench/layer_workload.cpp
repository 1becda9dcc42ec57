#include <algorithm>
#include <cmath>
#include <memory>

#include "ffn/base/error.h"
#include "ffn/bench/cold_copies.h"
#include "ffn/bench/layer_run.h"
#include "ffn/bench/require_values.h"
#include "ffn/bench/workload.h"

namespace ffn::inline v0 {
namespace {

// Rows of the layer that is compared whole with the reference; fewer where that would multiply more
// than kReferenceFlops (a second or two).
constexpr std::int64_t kWholeRows = 37;
constexpr std::int64_t kSampledRows = 8;
constexpr double kReferenceFlops = 1e9;

std::int64_t affordable_rows(const LayerCase& c, std::int64_t wanted,
                             std::int64_t flops_per_token) {
  const double passes = c.pass == Pass::backward ? 3 : 1;
  const double rows =
      kReferenceFlops / (passes * static_cast<double>(std::max<std::int64_t>(1, flops_per_token)));
  const std::int64_t most = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows));
  return std::min({c.rows, wanted, most});
}

// The layer of so many rows on both devices, everything compared.
void verify_whole(const LayerCase& c, std::int64_t rows, const std::string& name,
                  const BenchMachine& on) {
  LayerRun fast(on.device(), c.dtype, c, first_rows(rows));
  LayerRun exact(reference_device(), DType::f64, c, first_rows(rows));
  exact.copy_weights(fast);
  require_values(name, exact.results(), fast.results(), c.dtype);
}

// Some rows of y and dx of the case itself. The reference computes them alone: only for designs
// that take every row by itself.
void verify_sampled(const LayerCase& c, const std::vector<std::int64_t>& rows,
                    const std::string& name, const BenchMachine& on) {
  LayerRun fast(on.device(), c.dtype, c, first_rows(c.rows));
  LayerRun exact(reference_device(), DType::f64, c, rows);
  exact.copy_weights(fast);
  std::vector<NamedValues> expected = exact.results(), all = fast.results();
  expected.resize(std::min<std::size_t>(2, expected.size()));  // gradients of weights sum over rows
  std::vector<NamedValues> found;
  for (const NamedValues& part : expected) {
    NamedValues picked{part.name, {}};
    for (const std::int64_t row : rows) {
      const auto first = all[found.size()].values.begin() + row * c.width;
      picked.values.insert(picked.values.end(), first, first + c.width);
    }
    found.push_back(std::move(picked));
  }
  require_values(name, expected, found, c.dtype);
}

// What was compared, in words.
std::string verify(const LayerCase& c, const FeedForwardCosts& costs, const std::string& name,
                   const BenchMachine& on) {
  const DesignRegistry& designs = standard_designs();
  std::int64_t whole = affordable_rows(c, kWholeRows, costs.flops_per_token);
  if (c.tokens > 0) whole = c.tokens;  // one sequence
  verify_whole(c, whole, name, on);
  std::string text = std::to_string(whole) + (whole == 1 ? " row whole" : " rows whole");
  const FeedForwardSpec spec = designs.parse(c.design);
  if (whole == c.rows || c.tokens > 0 || !designs.takes_experts(spec)) return text;
  const std::int64_t count = affordable_rows(c, kSampledRows, costs.flops_per_token);
  verify_sampled(c, spread_rows(c.rows, count), name, on);
  return text + ", " + std::to_string(count) + " of " + std::to_string(c.rows);
}

// Weights that one pass over so many rows meets, at most, with x and y once.
std::int64_t moved_bytes(const LayerCase& c, const FeedForwardCosts& costs) {
  const std::int64_t weights = std::min(costs.parameters, c.rows * costs.active_parameters);
  return dtype_bytes(c.dtype, weights) + 2 * dtype_bytes(c.dtype, c.rows * c.width);
}

std::int64_t copies_of(const LayerCase& c, const FeedForwardCosts& costs,
                       const CacheSizes& caches) {
  if (!c.cold) return 1;
  const std::int64_t each = dtype_bytes(c.dtype, costs.parameters);
  // f32 masters stand beside the bf16 that is read.
  return cold_copies(each, each + 4 * costs.parameters, caches);
}

// Layers that take turns.
struct Rotation {
  std::vector<std::unique_ptr<LayerRun>> layers;
  std::size_t next = 0;

  void run() {
    layers[next]->run();
    next = (next + 1) % layers.size();
  }
};

}  // namespace

Workload layer_workload(const LayerCase& c, const std::string& name, const BenchMachine& on) {
  const Device device = on.device();
  const auto rotation = std::make_shared<Rotation>();
  const auto add_copy = [&](std::uint64_t seed) {
    rotation->layers.push_back(
        std::make_unique<LayerRun>(device, c.dtype, c, first_rows(c.rows), seed));
  };
  add_copy(1);
  const FeedForwardCosts costs = rotation->layers[0]->layer().costs();
  const std::string verified = verify(c, costs, name, on);
  const std::int64_t copies = copies_of(c, costs, on.caches);
  for (std::int64_t copy = 1; copy < copies; ++copy) add_copy(static_cast<std::uint64_t>(copy + 1));
  // The peak of a slab shows from the second pass on.
  for (const auto& layer : rotation->layers) layer->run(), layer->run();
  const bool forward = c.pass == Pass::forward;
  return {.run = [rotation] { rotation->run(); },
          .flops = (forward ? 1.0 : 3.0) * static_cast<double>(c.rows) *
                   static_cast<double>(costs.flops_per_token),
          .moved_bytes = forward ? moved_bytes(c, costs) : 0,
          .cold = c.cold,
          .predicted_bytes = predicted_layer_bytes(device, c),
          .measured_bytes = [rotation] { return rotation->layers[0]->peak_bytes(); },
          .verified = verified};
}

}  // namespace ffn::inline v0
