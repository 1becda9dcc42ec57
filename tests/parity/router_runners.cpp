// Losses of a router and the small operations around experts.
#include "ffn/ops/normalise_rows.h"
#include "ffn/ops/rearrange.h"
#include "ffn/ops/router_losses.h"
#include "runners.h"

namespace ffn::parity {
namespace {

float real(const CaseRun& run, const std::string& attribute) {
  return static_cast<float>(run.fixture.number(attribute));
}

// The fixture's gradients are those of Σ seed·y + loss.
Value keep_loss(CaseRun& run, WithLoss result) {
  run.output("loss", result.loss);
  return std::move(result.value);
}

Value run_balance_loss(CaseRun& run) {
  const Tensor load = run.input("load").tensor;
  return keep_loss(run, balance_loss(run.ex, run.input("scores"), load, run.fixture.integer("k"),
                                     run.fixture.flag("normalised"), real(run, "coefficient")));
}

Value run_z_loss(CaseRun& run) {
  return keep_loss(run, z_loss(run.ex, run.input("logits"), real(run, "coefficient")));
}

Value run_importance_loss(CaseRun& run) {
  const Tensor types = run.fixture.has("in.types") ? run.index("types") : Tensor();
  return keep_loss(
      run, importance_loss(run.ex, run.input("weights"), types, run.fixture.integer("sequences"),
                           real(run, "delta"), real(run, "coefficient")));
}

Value run_normalise_rows(CaseRun& run) {
  return normalise_rows(run.ex, run.input("x"), real(run, "scale"), real(run, "eps"));
}

Value run_repeat_rows(CaseRun& run) {
  return repeat_rows(run.ex, run.input("x"), run.fixture.integer("times"));
}

Value run_swap_blocks(CaseRun& run) {
  return swap_blocks(run.ex, run.input("x"), run.fixture.integer("outer"),
                     run.fixture.integer("inner"));
}

}  // namespace

std::vector<Runner> router_runners() {
  return {
      {"balance_loss", {"balance_loss"}, run_balance_loss},
      {"z_loss", {"z_loss"}, run_z_loss},
      {"importance_loss", {"importance_loss"}, run_importance_loss},
      {"normalise_rows", {"normalise_rows"}, run_normalise_rows},
      {"repeat_rows", {"repeat_rows"}, run_repeat_rows},
      {"swap_blocks", {"swap_blocks"}, run_swap_blocks},
  };
}

}  // namespace ffn::parity
