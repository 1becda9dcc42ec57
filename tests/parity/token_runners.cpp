// Pictures, tokens on a grid, whole sequences, and losses for rows of weights.
#include "ffn/layers/patch_embedding.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/patchify.h"
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

Value run_mean_tokens(CaseRun& run) {
  const Fixture& fixture = run.fixture;
  return mean_tokens(run.ex, run.input("x"), fixture.integer("sequences"), fixture.integer("first"),
                     fixture.integer("count"));
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
      {"mean_tokens", {"mean_tokens"}, run_mean_tokens},
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
