// Tied embedding and head: one weight, two names, two uses; its gradient is the sum of both.
//   h = E[ids];  h' = h + tanh(rms_norm(h)·Wᵀ);  logits = h'·Eᵀ
#include "contract/hard_case.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/norm.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t V = 11, D = 8;

class TiedEmbedding final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    ids_ = indices(ex, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3});
    targets_ = indices(ex, {1, 4, 1, 5, 9, 2, 6, 5, 3, -100});
    Parameter& embedding = parameters.add("embed_tokens", {V, D});
    parameters.tie("lm_head", embedding);
    parameters.add("norm", {D}, {.decay = false, .full_precision = true});
    parameters.add("mix", {D, D});
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    Value h = gather_rows(ex, ex.parameter(parameters.at("embed_tokens")), ids_);
    const auto body = [this](Executor& inner, std::span<const Value> in) -> Values {
      Value mixed = rms_norm(inner, in[0], inner.parameter(parameters.at("norm")));
      mixed = tanh(inner, linear(inner, std::move(mixed), inner.parameter(parameters.at("mix"))));
      return {add(inner, in[0], std::move(mixed))};
    };
    const Values out = ex.segment({std::move(h)}, body);
    return cross_entropy(ex, linear(ex, out[0], ex.parameter(parameters.at("lm_head"))), targets_);
  }

 private:
  Tensor ids_, targets_;
};

}  // namespace

std::unique_ptr<HardCase> tied_embedding() { return std::make_unique<TiedEmbedding>(); }

}  // namespace ffn::contract
