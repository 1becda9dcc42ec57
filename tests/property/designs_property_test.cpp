// What holds for every design, wherever it stands. Each property says how exactly: bit for bit
// (exact), or within a tolerance that is derived beside it.
#include <complex>

#include "property/random_design.h"

namespace ffn::test {
namespace {

struct Run {
  std::vector<double> y, dx, gradients;
  PlanReport report;
};

// Two steps: the second one in the slab that the first laid out.
Run run(const Device& device, MemoryMode memory, const RandomDesign& design) {
  Executor ex(device, memory);
  RandomLayer made(ex, design, DType::f32);
  const Tensor x = made.input("x"), seed = made.input("seed");
  Run result;
  for (int step = 0; step < 2; ++step) {
    made.parameters.reset_gradients();
    const StepScope scope(ex);
    const Value leaf = ex.leaf(x);
    Values inputs;
    inputs.push_back(leaf);
    const Values y = ex.segment(std::move(inputs), [&](Executor&, std::span<const Value> in) {
      Values out;
      out.push_back(made.forward(in[0]));
      return out;
    });
    if (!ex.dry()) result.y = host_values(y[0].tensor);
    ex.backward(y[0], seed);
    made.parameters.complete_gradients(ex);
    if (!ex.dry()) result.dx = host_values(ex.gradient(leaf));
  }
  if (!ex.dry()) result.gradients = host_values(made.parameters.gradients());
  result.report = ex.report();
  return result;
}

// Exact.
RC_GTEST_PROP(EveryDesign, CostsAreThePartsOfTheBuiltLayer, ()) {
  const RandomDesign design = random_design(false, true);
  Executor ex(dry_device(cpu_device(serial_pool())));
  RandomLayer made(ex, design, DType::f32);
  std::int64_t count = 0;
  for (const Parameter& parameter : made.parameters.all()) count += parameter.shape.count();
  const FeedForwardSpec spec = standard_designs().parse(design.text);
  const FeedForwardCosts costs = standard_designs().costs(spec, design.site);
  RC_ASSERT(costs.parameters == count);
  RC_ASSERT(costs.flops_per_token == made.layer->costs().flops_per_token);
  const NoTape no_tape(ex);
  made.forward(ex.constant(made.input("x")));
  RC_ASSERT(ex.report().forward_flops <= costs.flops_per_token * made.rows);
  const std::int64_t grid_rows = made.rows - design.sequences * design.site.grid.prefix;
  // What a sequence costs may be no whole number for a token.
  RC_ASSERT(ex.report().forward_flops > (costs.flops_per_token - 1) * grid_rows);
}

// Exact.
RC_GTEST_PROP(EveryDesign, TextReadAgainIsTheSameDesign, ()) {
  const FeedForwardSpec spec = standard_designs().parse(random_design(false, true).text);
  RC_ASSERT(standard_designs().parse(to_string(spec)) == spec);
}

// Exact: peaks, where they are, flops, slab.
RC_GTEST_PROP(EveryDesign, MemoryIsPlannedToTheByte, ()) {
  const RandomDesign design = random_design(false, true);
  const MemoryMode memory =
      *rc::gen::element(MemoryMode::store, MemoryMode::recompute_hidden, MemoryMode::recompute);
  const Device device = cpu_device(serial_pool());
  RC_ASSERT(run(dry_device(device), memory, design).report == run(device, memory, design).report);
}

// Exact: outputs and every gradient.
RC_GTEST_PROP(EveryDesign, RecomputingAndThreadsChangeNoBit, ()) {
  const RandomDesign design = random_design(false, true);
  static const auto two = make_thread_pool(2);
  const Run stored = run(cpu_device(serial_pool()), MemoryMode::store, design);
  for (const MemoryMode memory : {MemoryMode::recompute_hidden, MemoryMode::recompute}) {
    const Run recomputed = run(cpu_device(*two), memory, design);
    RC_ASSERT(stored.y == recomputed.y);
    RC_ASSERT(stored.dx == recomputed.dx);
    RC_ASSERT(stored.gradients == recomputed.gradients);
  }
}

// Tolerance: kernels may take rows in other blocks when there are fewer of them, which changes the
// order of no sum; 1e-5 of the largest output is 170 roundings of f32.
RC_GTEST_PROP(EveryDesign, SequencesKnowNothingOfEachOther, ()) {
  RandomDesign design = random_design(false, false);
  Executor ex(cpu_device(serial_pool()));
  const NoTape no_tape(ex);
  RandomLayer made(ex, design, DType::f32);
  const Tensor x = made.input("x");
  const std::vector<double> together = host_values(made.forward(ex.constant(x)).tensor);
  const double allowed = 1e-5 * largest_of(together);
  const std::int64_t T = design.site.tokens;
  for (std::int64_t s = 0; s < design.sequences; ++s) {
    const Value alone = ex.constant(x.slice_rows(s * T, T));
    const auto y = host_values(made.layer->forward(ex, alone, 1).tensor);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto place = static_cast<std::size_t>(s * T * made.width) + i;
      RC_ASSERT(std::abs(y[i] - together[place]) <= allowed);
    }
  }
}

// Tolerance: 1e-11 of the sum of absolute terms, in double.
RC_GTEST_PROP(EveryDesign, GradientIsTheDerivativeAlongARandomDirection, ()) {
  const RandomDesign design = random_design(true, true);
  Executor ex(reference_device());
  RandomLayer made(ex, design, DType::f64);
  const Value x = ex.leaf(made.input("x"));
  const Tensor seed = made.input("seed");
  ex.backward(made.forward(x), seed);
  made.parameters.complete_gradients(ex);

  constexpr double kStep = 1e-40;
  Executor moved_ex(reference_device());
  RandomLayer moved(moved_ex, design, DType::c128);
  double expected = 0, scale = 0;
  const auto move = [&](const Tensor& tensor, const std::vector<double>& gradient,
                        std::string_view name) {
    const auto values = host_span<std::complex<double>>(tensor);
    const auto direction =
        named_numbers(std::string(name) + "/direction", tensor.shape().count(), 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += std::complex<double>(0, kStep * direction[i]);
      expected += gradient[i] * direction[i];
      scale += std::abs(gradient[i] * direction[i]);
    }
  };
  const Tensor moved_x = moved.input("x");
  move(moved_x, host_values(ex.gradient(x)), "x");
  for (Parameter& parameter : moved.parameters.all())
    if (parameter.trainable())
      move(parameter.master, host_values(made.parameters.at(parameter.name).slot.gradient),
           parameter.name);
  moved.parameters.weights_changed(moved_ex);
  const NoTape no_tape(moved_ex);
  const Value y = moved.forward(moved_ex.constant(moved_x));
  const auto outputs = host_span<std::complex<double>>(y.tensor);
  const std::vector<double> seeds = host_values(seed);
  double found = 0;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    found += seeds[i] * outputs[i].imag() / kStep;
    scale += std::abs(seeds[i] * outputs[i].real());
  }
  RC_ASSERT(std::abs(found - expected) <= 1e-11 * (scale + 1));
}

}  // namespace
}  // namespace ffn::test
