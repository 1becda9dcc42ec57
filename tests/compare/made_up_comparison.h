// A made-up comparison with every part that the report shows; its numbers are arithmetic, not runs.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include "compare/made_up_results.h"
#include "ffn/compare/comparison_result.h"
#include "ffn/compare/judge.h"

namespace ffn {

struct MadeUpDesign {
  const char* label;
  const char* design;
  double accuracy;  // that its seeds scatter about
  double step_ms;
  double train_mib, inference_mib;
};

// Equal, near and far accuracies, and costs that do not follow them.
inline constexpr std::array<MadeUpDesign, 12> kMadeUpDesigns{{
    {"mlp(gelu)", "mlp(gelu, hidden=256)", 0.8610, 96.1, 148, 9.2},
    {"swiglu", "glu(silu, hidden=170)", 0.8665, 104.8, 163, 9.9},
    {"dwconv(gelu)", "dwconv(gelu, hidden=250, k=3)", 0.8832, 121.3, 171, 10.4},
    {"mlp(relu, x4)", "mlp(relu, hidden=256)", 0.8600, 88.0, 146, 9.2},
    {"glu(gelu, hidden=512)", "glu(gelu, hidden=512)", 0.8710, 187.0, 301, 16.5},
    {"mlp(relu2)", "mlp(relu2, hidden=256)", 0.8600, 89.5, 146, 9.2},
    {"moe(8, top=2, glu(silu, hidden=64))", "moe(8, top=2, glu(silu, hidden=64))", 0.8741, 243.0,
     262, 31.0},
    {"soft-moe(16, slots=1, mlp(gelu))", "soft-moe(16, slots=1, mlp(gelu, hidden=128))", 0.8702,
     260.0, 277, 34.0},
    {"reglu", "glu(relu, hidden=170)", 0.8651, 99.0, 160, 9.9},
    {"geglu", "glu(gelu, hidden=170)", 0.8668, 106.0, 163, 9.9},
    {"swish", "mlp(silu, hidden=256)", 0.8617, 97.0, 148, 9.2},
    {"deepseek-moe(64, top=6, shared=2, glu(silu))",
     "deepseek-moe(64, top=6, shared=2, glu(silu, hidden=16))", 0.8779, 310.0, 330, 41.0},
}};

// In [−1, 1], the same for the same numbers.
inline double made_up_noise(std::uint64_t a, std::uint64_t b) {
  std::uint64_t mixed = (a + 1) * 0x9E3779B97F4A7C15u + (b + 1) * 0xC2B2AE3D27D4EB4Fu;
  mixed ^= mixed >> 29u;
  mixed *= 0xBF58476D1CE4E5B9u;
  mixed ^= mixed >> 32u;
  return static_cast<double>(mixed >> 11u) / 4503599627370496.0 - 1;
}

inline RunResult made_up_run(const MadeUpDesign& made, std::size_t index, std::uint64_t seed) {
  constexpr std::int64_t kPictures = 10000;
  constexpr std::int64_t kSteps = 2000;
  const double accuracy = made.accuracy + 0.002 * made_up_noise(index, seed);
  RunResult run;
  run.seed = seed;
  run.qualities.resize(kPictures);
  run.weights.assign(kPictures, 1);
  for (std::size_t i = 0; i < run.qualities.size(); ++i) {
    // Most pictures are easy or hard for every design.
    const double ease = made_up_noise(i, 999) + 0.3 * made_up_noise(i, 31 * seed + index);
    const bool right = ease < 2 * accuracy - 1;
    run.qualities[i] = right ? 1 : 0;
    run.test.right += right;
  }
  run.test.count = kPictures;
  run.validation = {static_cast<std::int64_t>(5000 * (accuracy + 0.004)), 5000, 0.41};
  run.train = {static_cast<std::int64_t>(5000 * (accuracy + 0.031)), 5000, 0.30};
  for (std::int64_t step = 10; step <= kSteps; step += 10) {
    const double x = static_cast<double>(step) / kSteps;
    const double noise = made_up_noise(static_cast<std::uint64_t>(step), seed + 100 * index);
    run.losses.push_back({step, 2.3 * std::exp(-7 * x) + (1.25 - accuracy) + 0.03 * noise});
    if (step % 200 == 0)
      run.validations.push_back(
          {step, accuracy * (1 - 0.5 * std::exp(-5 * x)) + 0.003 * noise, 0.5});
  }
  const double ms = made.step_ms * (1 + 0.01 * made_up_noise(seed, index));
  const auto mib = [](double value) { return static_cast<std::int64_t>(value * 1048576); };
  run.training = {ms,          0.97 * ms,           1.06 * ms,
                  128000 / ms, mib(made.train_mib), mib(made.train_mib + 205)};
  run.inference = {0.6 * ms,
                   0.58 * ms,
                   0.65 * ms,
                   426000 / ms,
                   mib(made.inference_mib),
                   mib(made.inference_mib + 190)};
  return run;
}

// Judged, with `designs` of the list above (at most 12) and the seeds 1 to `seeds`.
inline ComparisonResult made_up_comparison(std::size_t designs, std::uint64_t seeds,
                                           bool with_grid = false) {
  ComparisonResult result;
  result.title = std::to_string(designs) + " feed-forward design" + (designs == 1 ? "" : "s") +
                 " in vit-nano on Fashion-MNIST";
  result.scale = "demo scale";
  result.model = "vit-nano: Transformer on 28×28 pictures, width 64, 6 blocks, 4 heads";
  result.data = "Fashion-MNIST: 60,000 training and 10,000 test pictures of clothes, 10 kinds";
  result.recipe = "AdamW, 2,000 steps of 128 pictures, warm-up then cosine, weight decay 0.05";
  result.budget = "matched: parameters of mlp(gelu), within 0.5 %";
  result.dtype = "f32";
  result.held_out =
      "5,000 training pictures for validation; the test pictures, read once at the end";
  result.total_steps = 2000;
  result.batch = 128;
  result.threads = 2;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) result.seeds.push_back(seed);
  for (std::size_t i = 0; i < designs; ++i) {
    const MadeUpDesign& made = kMadeUpDesigns.at(i);
    DesignResult design;
    design.label = made.label;
    design.design = made.design;
    design.parameters = 312842 + static_cast<std::int64_t>(made.inference_mib * 900);
    design.active_parameters = design.parameters;
    design.feed_forward_parameters = 198144;
    design.flops_per_token = 393216 + static_cast<std::int64_t>(1000 * made.step_ms);
    design.step_flops = 14630000000;
    design.match_ratio = 0.9987;
    design.learning_rate = 0.001;
    if (with_grid)
      design.learning_rates = {
          {0.0003, made.accuracy - 0.02}, {0.001, made.accuracy}, {0.003, made.accuracy - 0.01}};
    for (const std::uint64_t seed : result.seeds) design.runs.push_back(made_up_run(made, i, seed));
    result.designs.push_back(std::move(design));
  }
  if (with_grid) result.grid_flops = 8.8e13;
  judge(result);
  result.command =
      "ffn compare --model vit-nano --data fashion-mnist --ffn 'mlp(gelu)' --ffn swiglu "
      "--ffn 'dwconv(gelu)' --match params --seeds " +
      std::to_string(seeds);
  result.environment = {{"version", "0.1.0"},
                        {"machine", "2 cores, AVX-512, 8 GiB"},
                        {"compiler", "GCC 12.2"},
                        {"date", "2026-01-01"}};
  return result;
}

// The same of text: the lower an accuracy above, the more bits.
inline ComparisonResult made_up_text_comparison(std::size_t designs, std::uint64_t seeds,
                                                bool with_grid = false) {
  constexpr std::size_t kDocuments = 400;
  ComparisonResult result = made_up_comparison(designs, seeds, with_grid);
  result.measure = Measure::bits_per_byte;
  result.title = std::to_string(designs) + " feed-forward designs in gpt-nano on text";
  result.model = "gpt-nano: decoder of bytes, width 64, 6 blocks, 4 heads, 256 bytes of context";
  result.data = "text: 3,600 training documents of 2,400,000 bytes together";
  result.recipe = "AdamW, 2,000 steps of 32 sequences of 256 bytes";
  result.held_out = "400 training documents for validation; 400 test documents, read once";
  const auto nats = [](double bits) { return std::numbers::ln2 * bits; };
  std::vector<std::int32_t> bytes;
  for (std::size_t i = 0; i < kDocuments; ++i)
    bytes.push_back(static_cast<std::int32_t>(650 + 600 * made_up_noise(i, 77)));
  for (std::size_t d = 0; d < designs; ++d) {
    DesignResult& design = result.designs[d];
    for (auto& [rate, quality] : design.learning_rates) quality = 2.9 - quality;
    std::vector<std::vector<double>> bits;
    for (const RunResult& run : design.runs) {
      const double mean = 2.9 - kMadeUpDesigns.at(d).accuracy + 0.004 * made_up_noise(d, run.seed);
      auto& documents = bits.emplace_back();
      for (std::size_t i = 0; i < kDocuments; ++i)
        documents.push_back(mean + 0.3 * made_up_noise(i, 5) +
                            0.05 * made_up_noise(i, 100 * run.seed + d));
    }
    const DesignResult made = design_of_documents(design.label, bits, bytes);
    for (std::size_t s = 0; s < design.runs.size(); ++s) {
      RunResult& run = design.runs[s];
      run.test = made.runs[s].test;
      run.qualities = made.runs[s].qualities;
      run.weights = made.runs[s].weights;
      run.validation = run.train = run.test;
      run.validation.loss -= nats(0.004);
      run.train.loss -= nats(0.05);
      for (ValidationPoint& point : run.validations) point.loss = nats(2.9 - point.accuracy);
    }
  }
  judge(result);
  result.command = "ffn compare --model gpt-nano --data text:stories.txt --match params";
  return result;
}

}  // namespace ffn
