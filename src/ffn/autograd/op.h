// The contract of operations. An operation declares what it needs; only the executor allocates.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ffn/autograd/activation_precision.h"
#include "ffn/base/small_vector.h"
#include "ffn/kernels/table.h"
#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

inline constexpr std::size_t kMaxInputs = 8;
inline constexpr std::size_t kMaxOutputs = 4;
inline constexpr std::size_t kMaxSaved = 6;

// What an operation may know when it declares its needs. Values are not among it: no shape depends
// on data, and a dry device has none.
struct OpContext {
  const kernels::KernelTable* kernels = nullptr;  // for x_workspace(); never null, also when dry
  int threads = 1;
  bool training = false;             // dropout active, batch statistics used
  bool recording = false;            // backward will be called: `saved` counts
  std::uint32_t wants_gradient = 0;  // bit i: input i
  ActivationPrecision activations = ActivationPrecision::f32;  // the device's

  bool wants(int input) const { return (wants_gradient >> input & 1u) != 0; }
};

// A tensor that backward needs: input `index`, output `index`, or the `index`-th of OpSpec::extra.
struct Saved {
  enum class From : std::uint8_t { input, output, extra } from;
  std::uint8_t index;

  static constexpr Saved input(int i) { return {From::input, static_cast<std::uint8_t>(i)}; }
  static constexpr Saved output(int i) { return {From::output, static_cast<std::uint8_t>(i)}; }
  static constexpr Saved extra(int i) { return {From::extra, static_cast<std::uint8_t>(i)}; }
};

// Buffer sharing that the operation's loops allow: `to` may be written where `from` lies.
struct Alias {
  std::uint8_t to, from;
};

// Output `output` is no buffer of its own but a view of input `input`: spec.outputs[output].shape
// as rows of leading dimension `ld`, `offset_bytes` after the input's first element.
struct View {
  std::uint8_t output, input;
  std::int64_t offset_bytes;
  std::int64_t ld;
};

struct OpSpec {
  SmallVector<TensorSpec, kMaxOutputs> outputs;
  // Written by forward and kept for backward; given to forward only when recording.
  SmallVector<TensorSpec, kMaxOutputs> extra;
  // In the order in which backward receives them. Ignored when not recording.
  SmallVector<Saved, kMaxSaved> saved;
  SmallVector<Alias, 2> may_alias;  // output `to` over input `from`
  SmallVector<Alias, 2>
      gradient_may_alias;  // gradient of input `to` over gradient of output `from`
  SmallVector<View, kMaxOutputs> views;
  std::uint32_t writes =
      0;  // bit i: input i (a state) is written in place; refused while recording
  std::int64_t forward_scratch_bytes = 0, backward_scratch_bytes = 0;
  // 2 × multiply-adds of products and convolutions; elementwise work is not counted.
  std::int64_t forward_flops = 0, backward_flops = 0;
};

struct ForwardArgs {
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  std::span<const Tensor> extra;  // empty unless recording
  const OpContext& context;
  kernels::LaunchContext launch;  // workspace of forward_scratch_bytes

  const kernels::KernelTable& kernels() const { return *context.kernels; }
};

// Where one input's gradient goes: not wanted (tensor undefined), overwritten, or added to.
struct GradientTarget {
  Tensor tensor;
  bool accumulate = false;

  bool wanted() const { return tensor.defined(); }
  // The kernels' form; absent when not wanted.
  kernels::GradMatrix matrix() const {
    if (!wanted()) return {};
    return {tensor.matrix(), accumulate};
  }
};

struct BackwardArgs {
  std::span<const Tensor> saved;
  // Undefined where no gradient reached that output; at least one is defined.
  std::span<const Tensor> output_gradients;
  std::span<const GradientTarget> input_gradients;
  const OpContext& context;
  kernels::LaunchContext launch;  // workspace of backward_scratch_bytes

  const kernels::KernelTable& kernels() const { return *context.kernels; }
};

// Stateless and immutable after construction; small enough to copy. One per call.
class Op {
 public:
  virtual ~Op() = default;
  // Checks shapes and dtypes (Error{shape}, Error{dtype}, Error{config}) and declares everything
  // else.
  virtual OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const = 0;
  virtual void forward(const ForwardArgs& args) const = 0;
  // Never called when no input wants a gradient.
  virtual void backward(const BackwardArgs& args) const = 0;
  virtual std::string_view name() const = 0;
};

}  // namespace ffn::inline v0
