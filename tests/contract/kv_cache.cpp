// KV cache: keys and values are appended in two pieces without a tape, then read under one.
//   k, v = append(x·Wkᵀ), append(x·Wvᵀ);  y = softmax(q·kᵀ/√D, causal)·v,  q = x_last·Wqᵀ
// The cache is a state: preallocated at its bound, without gradient; the query's weight trains.
#include <cmath>

#include "contract/hard_case.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/softmax.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t T = 9, D = 8, kBound = 16, kFirst = 5;

class KvCache final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {T, D}, compute);
    targets_ = indices(ex, {1, 2, 3, 4});
    parameters.add("q", {D, D});
    for (const char* name : {"k", "v"})
      parameters.add_frozen(name, input(ex, name, {D, D}, compute));
    for (State* state : {&keys_, &values_}) {
      state->tensor = ex.allocate_persistent({{kBound, D}, compute, Role::state}, Tag::state);
    }
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    Value keys, values;
    {
      const NoTape no_tape(ex);
      for (const auto& [begin, end] : {std::pair{std::int64_t{0}, kFirst}, {kFirst, T}}) {
        const Value piece = ex.constant(x_.slice_rows(begin, end - begin));
        keys = cache_append(ex, keys_, linear(ex, piece, ex.parameter(parameters.at("k"))), begin);
        values =
            cache_append(ex, values_, linear(ex, piece, ex.parameter(parameters.at("v"))), begin);
      }
    }
    const Value last = ex.constant(x_.slice_rows(kFirst, T - kFirst));
    Value scores =
        matmul(ex, linear(ex, last, ex.parameter(parameters.at("q"))), keys, ProductForm::nt);
    scores = softmax(ex, std::move(scores),
                     {.scale = 1 / std::sqrt(static_cast<float>(D)),
                      .causal = true,
                      .offset = kFirst,
                      .period = T - kFirst});
    return cross_entropy(ex, matmul(ex, std::move(scores), values, ProductForm::nn), targets_);
  }

  std::vector<Tensor> left_behind() override {
    return {keys_.tensor.slice_rows(0, T), values_.tensor.slice_rows(0, T)};
  }

 private:
  Tensor x_, targets_;
  State keys_{"keys", {}, {}}, values_{"values", {}, {}};
};

}  // namespace

std::unique_ptr<HardCase> kv_cache() { return std::make_unique<KvCache>(); }

}  // namespace ffn::contract
