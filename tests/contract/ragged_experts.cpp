// Dropless mixture of experts: N·K rows sorted by expert, ragged groups, one expert without rows.
//   z = x·Wrᵀ;  (w, order, offsets) = route(z, K);  y[n] = Σ_k w[n,k]·W2_e·gelu(W1_e·x[n])
// No shape depends on the routing; the routing enters the recomputed segment as an input.
#include "contract/hard_case.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/routing.h"
#include "ffn/ops/view.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 13, D = 8, H = 12, E = 5, K = 2;

class RaggedExperts final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4});
    parameters.add("router", {E, D}, {.full_precision = true});
    parameters.add("up", {E * H, D});
    parameters.add("down", {E * D, H});
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    const Value router = ex.parameter(parameters.at("router"));
    const Routing routing = route_top_k(ex, linear(ex, ex.constant(x_), router), K);
    const auto body = [&](Executor& inner, std::span<const Value> in) -> Values {
      Value rows = gather_rows(inner, in[0], in[2].tensor);  // [N·K, D]
      rows = grouped_linear(inner, std::move(rows), ex.parameter(parameters.at("up")), in[4].tensor,
                            E);
      rows = grouped_linear(inner, gelu(inner, std::move(rows)),
                            ex.parameter(parameters.at("down")), in[4].tensor, E);
      Value weights = reshape(inner, in[1], {N * K, 1});
      weights = gather_rows(inner, std::move(weights), in[3].tensor);  // by expert, as rows
      return {
          scatter_add_rows(inner, scale_rows(inner, std::move(rows), weights), in[2].tensor, N)};
    };
    const Values out = ex.segment({ex.constant(x_), routing.weights, ex.constant(routing.token),
                                   ex.constant(routing.order), ex.constant(routing.offsets)},
                                  body);
    return cross_entropy(ex, out[0], targets_);
  }

 private:
  Tensor x_, targets_;
};

}  // namespace

std::unique_ptr<HardCase> ragged_experts() { return std::make_unique<RaggedExperts>(); }

}  // namespace ffn::contract
