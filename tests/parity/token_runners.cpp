// Pictures, tokens on a grid, whole sequences, and losses for rows of weights.
#include "ffn/layers/patch_embedding.h"
#include "ffn/ops/causal_conv.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/mix_tokens.h"
#include "ffn/ops/patchify.h"
#include "ffn/ops/rope.h"
#include "ffn/ops/tokens.h"
#include "runners.h"

namespace ffn::parity {
namespace {

float smoothing(const CaseRun& run) { return static_cast<float>(run.fixture.number("smoothing")); }

Value run_smoothed(CaseRun& run) {
  return cross_entropy(run.ex, run.input("logits"), run.index("targets"), smoothing(run));
}

Value run_soft(CaseRun& run) {
  const Value targets = run.input("targets");
  return soft_cross_entropy(run.ex, run.input("logits"), targets.tensor, smoothing(run));
}

Value run_depthwise_conv(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  const TokenGrid grid{fixture.integer("height"), fixture.integer("width"),
                       fixture.integer("prefix")};
  return depthwise_conv(run.ex, run.input("x"), run.input("weight"), run.input("bias"), grid);
}

Value run_causal_conv(CaseRun& run) {
  const Value bias = run.fixture.has("in.bias") ? run.input("bias") : Value();
  return causal_conv(run.ex, run.input("x"), run.input("weight"), bias,
                     run.fixture.integer("sequences"));
}

Value run_rope(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  RopeOptions options;
  options.heads = fixture.integer("heads");
  options.theta = fixture.number("theta");
  options.rotary_width = fixture.integer("rotary_width");
  options.first_position = fixture.integer("first_position");
  options.style = fixture.flag("interleaved") ? RopeStyle::interleaved : RopeStyle::half;
  return rope(run.ex, run.input("x"), fixture.integer("sequences"), options);
}

Value run_mean_tokens(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return mean_tokens(run.ex, run.input("x"), fixture.integer("sequences"), fixture.integer("first"),
                     fixture.integer("count"));
}

Value run_mix_tokens(CaseRun& run) {
  return mix_tokens(run.ex, run.input("x"), run.input("weight"), run.input("bias"),
                    run.fixture.integer("sequences"));
}

Value run_prepend_token(CaseRun& run) {
  return prepend_token(run.ex, run.input("token"), run.input("x"),
                       run.fixture.integer("sequences"));
}

Value run_take_tokens(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return take_tokens(run.ex, run.input("x"), fixture.integer("sequences"), fixture.integer("first"),
                     fixture.integer("count"));
}

Value run_pad_tokens(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return pad_tokens(run.ex, run.input("x"), fixture.integer("sequences"), fixture.integer("before"),
                    fixture.integer("after"));
}

Value run_join_tokens(CaseRun& run) {
  return join_tokens(run.ex, run.input("a"), run.input("b"), run.fixture.integer("sequences"));
}

Value run_gate_tokens(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return gate_tokens(run.ex, run.input("x"), run.input("gate"), fixture.integer("sequences"),
                     fixture.integer("first"), fixture.integer("count"));
}

Value run_patchify(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return patchify(run.ex, run.input("images"), fixture.integer("channels"),
                  fixture.integer("height"), fixture.integer("width"), fixture.integer("patch"));
}

Value run_patch_embedding(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return patch_embedding(run.ex, run.input("images"), run.input("weight"), run.input("bias"),
                         fixture.integer("channels"), fixture.integer("height"),
                         fixture.integer("width"), fixture.integer("patch"));
}

}  // namespace

std::vector<Runner> token_runners() {
  return {
      {"cross_entropy_smoothed", {"cross_entropy"}, run_smoothed},
      {"soft_cross_entropy", {"soft_cross_entropy"}, run_soft},
      {"depthwise_conv", {"depthwise_conv"}, run_depthwise_conv},
      {"causal_conv", {"causal_conv"}, run_causal_conv},
      {"rope", {"rope"}, run_rope},
      {"mean_tokens", {"mean_tokens"}, run_mean_tokens},
      {"mix_tokens", {"mix_tokens"}, run_mix_tokens},
      {"prepend_token", {"prepend_token"}, run_prepend_token},
      {"take_tokens", {"take_tokens"}, run_take_tokens},
      {"pad_tokens", {"pad_tokens"}, run_pad_tokens},
      {"join_tokens", {"concat_cols", "reshape"}, run_join_tokens},
      {"gate_tokens", {"gate_tokens"}, run_gate_tokens},
      {"patchify", {"patchify"}, run_patchify},
      {"patch_embedding", {"patchify", "linear"}, run_patch_embedding},
  };
}

}  // namespace ffn::parity
