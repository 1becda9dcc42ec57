// What a node of the tape costs beyond its kernel: infer, memory, ledger, record; and on the way
// back target, memory, release. The operation's loops are empty, so all the time is the executor's.
#include <cstdio>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/base/timer.h"

namespace {

using namespace ffn;

// y = x by declaration only. Saves its input, as most operations do.
class EmptyOp final : public Op {
 public:
  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    OpSpec spec;
    spec.outputs.push_back({inputs[0].shape, inputs[0].dtype});
    spec.saved.push_back(Saved::input(0));
    return spec;
  }
  void forward(const ForwardArgs&) const override {}
  void backward(const BackwardArgs&) const override {}
  std::string_view name() const override { return "empty"; }
};

constexpr int kNodes = 1000;
constexpr int kSteps = 300;

}  // namespace

int main() {
  Executor ex(cpu_device(serial_pool()));
  const Tensor x = ex.allocate_persistent({{8, 16}, DType::f32, Role::activation}, Tag::data);
  std::vector<double> forward_ns, backward_ns;
  for (int step = 0; step < kSteps; ++step) {
    const StepScope scope(ex);
    Value value = ex.leaf(x);
    const std::int64_t begin = monotonic_ns();
    for (int node = 0; node < kNodes; ++node) value = ex.apply_one(EmptyOp(), {std::move(value)});
    const std::int64_t middle = monotonic_ns();
    ex.backward(value, x);
    const std::int64_t end = monotonic_ns();
    if (step < 2) continue;  // traced and first replayed step
    forward_ns.push_back(static_cast<double>(middle - begin) / kNodes);
    backward_ns.push_back(static_cast<double>(end - middle) / kNodes);
  }
  const SampleSummary forward = summarize(forward_ns), backward = summarize(backward_ns);
  std::printf("| overhead per node | median ns | p10 | p90 | target |\n|---|---|---|---|---|\n");
  std::printf("| forward | %.0f | %.0f | %.0f | ≤ 500 |\n", forward.median, forward.p10,
              forward.p90);
  std::printf("| backward | %.0f | %.0f | %.0f | ≤ 1000 |\n", backward.median, backward.p10,
              backward.p90);
  return ex.step_memory().replayed() ? 0 : 1;
}
