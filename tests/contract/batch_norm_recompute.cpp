// Batch norm inside a recomputed segment: its forward runs twice, its running statistics move once.
//   y = relu(bn(x·W1ᵀ))·W2ᵀ;  running ← (1−m)·running + m·batch, committed when the step ends
#include "contract/hard_case.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 10, D = 6, H = 9, C = 4;

class BatchNormRecompute final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1});
    parameters.add("in", {H, D});
    parameters.add("weight", {H}, {.decay = false, .full_precision = true});
    parameters.add("bias", {H}, {.decay = false, .full_precision = true});
    parameters.add("out", {C, H});
    running_.tensor =
        ex.allocate_persistent({{2, H}, gradient_dtype(compute), Role::state}, Tag::state);
    if (!ex.dry()) {  // mean 0, variance 1
      std::vector<double> first(2 * H, 0);
      for (std::size_t i = H; i < first.size(); ++i) first[i] = 1;
      set_host_values(running_.tensor, first);
    }
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    const auto body = [this](Executor& inner, std::span<const Value> in) -> Values {
      Value h = linear(inner, in[0], inner.parameter(parameters.at("in")));
      h = batch_norm(inner, std::move(h), inner.parameter(parameters.at("weight")),
                     inner.parameter(parameters.at("bias")), running_);
      return {relu(inner, std::move(h))};
    };
    const Values h = ex.segment({ex.constant(x_)}, body);
    return cross_entropy(ex, linear(ex, h[0], ex.parameter(parameters.at("out"))), targets_);
  }

  std::vector<Tensor> left_behind() override { return {running_.tensor}; }

 private:
  Tensor x_, targets_;
  State running_{"running", {}, {}};
};

}  // namespace

std::unique_ptr<HardCase> batch_norm_recompute() { return std::make_unique<BatchNormRecompute>(); }

}  // namespace ffn::contract
