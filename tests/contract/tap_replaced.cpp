// Taps: "neuron" is read, "pre" is replaced. The replacement is built from operations, so gradients
// pass through it, and it runs in the replay too; the reader runs once a step.
//   h = x·W1ᵀ (tap pre: 2·h);  a = gelu(h) (tap neuron: read);  y = a·W2ᵀ
#include "contract/hard_case.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"

namespace ffn::contract {
namespace {

constexpr std::int64_t N = 5, D = 6, H = 10, C = 3;

class TapReplaced final : public HardCase {
 public:
  void build(Executor& ex, DType compute) override {
    x_ = input(ex, "x", {N, D}, compute);
    targets_ = indices(ex, {0, 1, 2, 0, 1});
    parameters.add("up", {H, D});
    parameters.add("down", {C, H});
    finalize(ex, compute);
    reads_ = ex.allocate_persistent({{1}, DType::f64, Role::state}, Tag::state);
    if (!ex.dry()) set_host_values(reads_, std::vector<double>{0});
    ex.taps().set("pre", {.read = {}, .replace = [](Executor& inner, Value pre) {
                            return scale(inner, std::move(pre), 2.0f);
                          }});
    ex.taps().set("neuron",
                  {.read = [this](const Tensor& neuron) { count(neuron); }, .replace = {}});
  }

  Value loss(Executor& ex) override {
    const auto body = [this](Executor& inner, std::span<const Value> in) -> Values {
      Value h = linear(inner, in[0], inner.parameter(parameters.at("up")));
      h = gelu(inner, inner.tap("pre", std::move(h)));
      return {inner.tap("neuron", std::move(h))};
    };
    const Values h = ex.segment({ex.constant(x_)}, body);
    return cross_entropy(ex, linear(ex, h[0], ex.parameter(parameters.at("down"))), targets_);
  }

  std::vector<Tensor> left_behind() override { return {reads_}; }

 private:
  void count(const Tensor& neuron) {  // a dry device has no values to read
    const bool readable = neuron.data() != nullptr && neuron.shape() == Shape{N, H};
    if (readable) host_span<double>(reads_)[0] += 1;
  }
  Tensor x_, targets_, reads_;
};

}  // namespace

std::unique_ptr<HardCase> tap_replaced() { return std::make_unique<TapReplaced>(); }

}  // namespace ffn::contract
