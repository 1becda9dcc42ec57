// Attention: masks, shared key heads, ragged and empty sequences.
#include "ffn/ops/attention.h"
#include "ffn/ops/view.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// Scores are sums of W ≤ 33 products, exponentiated: their absolute error, Σ|terms| ≤ 4 times n·u,
// is a relative one of p, twice (numerator and lse); y and the gradients average over keys, which
// makes them up to 2 times smaller than the numbers they are made of.
constexpr double kAttentionUnits = 16;

struct Sizes {
  std::int64_t B, Tq, Tk, W;
};

void add_checked(std::vector<OpCase>& cases, OpCase added) {
  added.op = "attention";
  added.accuracy = Accuracy::function;
  added.units = kAttentionUnits;
  add_case(cases, std::move(added));
}

std::vector<CaseInput> inputs(const Sizes& at, const AttentionOptions& options) {
  const std::int64_t kv = options.kv_heads == 0 ? options.heads : options.kv_heads;
  return {number("q", {at.B * at.Tq, options.heads * at.W}), number("k", {at.B * at.Tk, kv * at.W}),
          number("v", {at.B * at.Tk, kv * at.W})};
}

auto run_equal(std::int64_t sequences, const AttentionOptions& options) {
  return [=](CaseRun& c) {
    return attention(c.ex, std::move(c.in[0]), std::move(c.in[1]), std::move(c.in[2]), sequences,
                     options);
  };
}

void add_masks(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, const Sizes& at, const AttentionOptions& options) {
    OpCase added;
    added.name = std::move(name);
    added.inputs = inputs(at, options);
    added.run = run_equal(at.B, options);
    add_checked(cases, std::move(added));
  };
  add("one", {1, 1, 1, 5}, {});
  add("plain", {2, 5, 5, 8}, {.heads = 2});
  add("two_blocks", {1, 29, 29, 5}, {.heads = 1});
  add("width_16", {2, 7, 7, 16}, {.heads = 3});
  add("width_33", {1, 9, 17, 33}, {.heads = 2});
  add("many_keys", {1, 3, 300, 4}, {.heads = 2, .kv_heads = 1});
  add("scale", {1, 6, 6, 7}, {.heads = 2, .scale = -0.3f});
  add("grouped", {2, 11, 6, 5}, {.heads = 6, .kv_heads = 2});
  add("causal", {2, 7, 7, 5}, {.heads = 2, .causal = true});
  add("causal_two_blocks", {1, 17, 17, 8}, {.heads = 2, .kv_heads = 1, .causal = true});
  add("decoding", {3, 1, 9, 8}, {.heads = 4, .kv_heads = 2, .causal = true});
  add("more_keys", {2, 3, 10, 9}, {.heads = 1, .causal = true});
  add("blind_queries", {2, 7, 4, 5}, {.heads = 2, .causal = true});
  add("blind_block", {1, 29, 2, 3}, {.heads = 1, .causal = true});
  add("causal_window", {1, 31, 31, 5}, {.heads = 2, .kv_heads = 1, .causal = true, .window = 3});
  add("window", {2, 13, 13, 7}, {.heads = 1, .window = 4});
  add("window_more_keys", {1, 4, 9, 5}, {.heads = 2, .window = 2});
  add("window_fewer_keys", {1, 9, 4, 5}, {.heads = 1, .window = 2});
  add("window_of_one", {1, 6, 6, 4}, {.heads = 1, .causal = true, .window = 1});
  add("window_hides_nothing", {1, 5, 5, 6}, {.heads = 1, .window = INT64_MAX});
  add("cap", {1, 9, 9, 8}, {.heads = 2, .logit_cap = 1.5f});
  add("everything", {2, 10, 13, 9},
      {.heads = 4, .kv_heads = 2, .scale = 0.5f, .causal = true, .window = 5, .logit_cap = 2});
  add("no_rows", {1, 0, 0, 3}, {.heads = 2});
  add("no_queries", {2, 0, 3, 5}, {.heads = 1});
  add("no_keys", {2, 3, 0, 5}, {.heads = 1});
}

void add_ragged(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t W, std::vector<double> offsets,
                       const AttentionOptions& options) {
    const auto rows = static_cast<std::int64_t>(offsets.back());
    OpCase added;
    added.name = std::move(name);
    added.inputs = inputs({1, rows, rows, W}, options);
    added.inputs.push_back(index("offsets", std::move(offsets)));
    added.run = [options](CaseRun& c) {
      return attention(c.ex, std::move(c.in[0]), std::move(c.in[1]), std::move(c.in[2]),
                       c.in[3].tensor, options);
    };
    add_checked(cases, std::move(added));
  };
  add("ragged", 5, {0, 3, 3, 10, 11}, {.heads = 2});
  add("ragged_blocks", 6, {0, 27, 31}, {.heads = 2, .kv_heads = 1, .causal = true});
  add("ragged_window", 7, {0, 0, 9, 14}, {.heads = 2, .window = 3, .logit_cap = 3});
  add("ragged_nothing", 4, {0}, {.heads = 1});
}

void add_uses(std::vector<OpCase>& cases) {
  const Sizes at{2, 5, 6, 7};
  const AttentionOptions options{.heads = 2, .kv_heads = 1, .causal = true};
  for (const int wanted : {0, 1, 2}) {
    OpCase added;
    added.name = std::string("only_") + "qkv"[wanted];
    added.inputs = inputs(at, options);
    for (int i = 0; i < 3; ++i) {
      CaseInput& input = added.inputs[static_cast<std::size_t>(i)];
      if (i != wanted) input = without_gradient(input);
    }
    added.run = run_equal(at.B, options);
    add_checked(cases, std::move(added));
  }
  OpCase unrecorded;
  unrecorded.name = "without_tape";
  unrecorded.inputs = inputs(at, options);
  unrecorded.run = run_equal(at.B, options);
  unrecorded.recorded = false;
  add_checked(cases, std::move(unrecorded));

  // q, k and v as columns of one product.
  OpCase fused;
  fused.name = "fused";
  fused.inputs = {number("qkv", {12, 4 * 5 + 2 * 2 * 5})};
  fused.run = [](CaseRun& c) {
    const std::int64_t widths[] = {20, 10, 10};
    Values parts = split_cols(c.ex, std::move(c.in[0]), widths);
    return attention(c.ex, std::move(parts[0]), std::move(parts[1]), std::move(parts[2]), 2,
                     {.heads = 4, .kv_heads = 2});
  };
  fused.bf16_inside = 1;  // the parts' gradients, before they become qkv's
  add_checked(cases, std::move(fused));
}

}  // namespace

void add_attention_cases(std::vector<OpCase>& cases) {
  add_masks(cases);
  add_ragged(cases);
  add_uses(cases);
}

}  // namespace ffn::test
