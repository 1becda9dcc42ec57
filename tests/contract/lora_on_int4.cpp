// Frozen int4 base plus trainable LoRA: gradients pass through the quantised weight, none reaches
// it.
//   y = x·W0ᵀ + (α/R)·(x·Aᵀ)·Bᵀ;  W0 in q4_0 blocks, A [R, D], B [H, R]
// Source: Hu et al., LoRA, 2021; here over a 4-bit base.
#include "contract/hard_case.h"
#include "ffn/base/blocks.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 7, D = 32, H = 64, R = 3, C = 5;

class LoraOnInt4 final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 3, 4, 0, 1});
    parameters.add_frozen("up", quantized(ex, "up", H, D));
    parameters.add_frozen("down", quantized(ex, "down", D, H));
    for (const auto& [name, out, in] : {std::tuple{"up", H, D}, std::tuple{"down", D, H}}) {
      parameters.add(std::string(name) + ".lora_a", {R, in});
      parameters.add(std::string(name) + ".lora_b", {out, R});
    }
    parameters.add("head", {C, D});
    finalize(ex, compute);
  }

  Value loss(Executor& ex) override {
    const auto body = [this](Executor& inner, std::span<const Value> in) -> Values {
      return {adapted(inner, gelu(inner, adapted(inner, in[0], "up")), "down")};
    };
    const Values y = ex.segment({ex.constant(x_)}, body);
    return cross_entropy(ex, linear(ex, y[0], ex.parameter(parameters.at("head"))), targets_);
  }

 private:
  Value adapted(Executor& ex, Value x, const std::string& name) {
    const auto weight = [&](const char* part) { return ex.parameter(parameters.at(name + part)); };
    Value low = linear(ex, linear(ex, x, weight(".lora_a")), weight(".lora_b"));
    return add(ex, linear(ex, std::move(x), weight("")), scale(ex, std::move(low), 8.0f / R));
  }
  static Tensor quantized(Executor& ex, const char* name, std::int64_t rows, std::int64_t cols) {
    const Tensor source = input(ex, name, {rows, cols}, DType::f32);
    Tensor weight =
        ex.allocate_persistent({{rows, cols}, DType::q4_0, Role::parameter}, Tag::parameters);
    if (!ex.dry()) quantize_row(DType::q4_0, source.data_as<float>(), rows * cols, weight.data());
    return weight;
  }
  Tensor x_, targets_;
};

}  // namespace

std::unique_ptr<HardCase> lora_on_int4() { return std::make_unique<LoraOnInt4>(); }

}  // namespace ffn::contract
