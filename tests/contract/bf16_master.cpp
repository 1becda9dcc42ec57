// bf16 training with an f32 master: activations and the weights that products read are bf16;
// master, gradients, moments, norm and loss are f32. A step of AdamW is part of the case.
//   h = layer_norm(x);  y = (silu(h·Wgᵀ) ⊙ h·Wuᵀ)·Wdᵀ
#include "contract/hard_case.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/norm.h"
#include "ffn/train/adamw.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 9, D = 8, H = 20, C = 6;

class Bf16Master final : public HardCase {
 public:
  DType compute() const override { return DType::bf16; }

  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 3, 4, 5, 0, 1, 2});
    for (const char* name : {"norm.weight", "norm.bias"})
      parameters.add(name, {D}, {.decay = false, .full_precision = true});
    for (const char* name : {"gate", "up"}) parameters.add(name, {H, D});
    parameters.add("down", {C, H});
    finalize(ex, compute);
    if (compute == DType::bf16)
      optimizer_ = std::make_unique<AdamW>(ex, parameters, AdamWOptions{});
  }

  Value loss(Executor& ex) override {
    const auto body = [this](Executor& inner, std::span<const Value> in) -> Values {
      const auto weight = [&](const char* name) { return inner.parameter(parameters.at(name)); };
      const Value h = layer_norm(inner, in[0], weight("norm.weight"), weight("norm.bias"));
      Value gate = silu(inner, linear(inner, h, weight("gate")));
      return {multiply(inner, std::move(gate), linear(inner, h, weight("up")))};
    };
    const Values h = ex.segment({ex.constant(x_)}, body);
    return cross_entropy(ex, linear(ex, h[0], ex.parameter(parameters.at("down"))), targets_);
  }

  void update(Executor&) override {
    if (optimizer_) optimizer_->step();
  }

  std::vector<Tensor> left_behind() override {
    if (!optimizer_) return {};
    return {parameters.weights(), parameters.shadow(), optimizer_->first_moment(),
            optimizer_->second_moment()};
  }

 private:
  Tensor x_, targets_;
  std::unique_ptr<AdamW> optimizer_;
};

}  // namespace

std::unique_ptr<HardCase> bf16_master() { return std::make_unique<Bf16Master>(); }

}  // namespace ffn::contract
