#include "ffn/ops/patchify.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

using kernels::PatchGrid;

// Keeps the product of three sizes within 64 bits.
constexpr std::int64_t kLargestSize = std::int64_t{1} << 20;

class PatchifyOp final : public Op {
 public:
  explicit PatchifyOp(const PatchGrid& grid) : grid_(grid) {}

  std::string_view name() const override { return "patchify"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& images = inputs[0];
    op_detail::require_compute(name(), "images", images, context);
    const auto size = [](std::int64_t n) { return n >= 1 && n <= kLargestSize; };
    check(size(grid_.channels) && size(grid_.height) && size(grid_.width) && size(grid_.patch),
          ErrorKind::config, name(), "images ", images.shape, " of ", grid_.channels, " × ",
          grid_.height, " × ", grid_.width, " into patches of ", grid_.patch,
          "; sizes must be 1 to ", kLargestSize);
    check(grid_.height % grid_.patch == 0 && grid_.width % grid_.patch == 0, ErrorKind::config,
          name(), "images ", images.shape, " of ", grid_.height, " × ", grid_.width,
          " into patches of ", grid_.patch, "; the patch must divide both sides");
    check(images.cols() == grid_.picture(), ErrorKind::shape, name(), "images are ", images.shape,
          ", ", grid_.channels, " × ", grid_.height, " × ", grid_.width, " has ", grid_.picture(),
          " columns");
    OpSpec spec;
    spec.outputs.push_back({{images.rows() * grid_.tokens(), grid_.token()}, images.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().patchify_forward(args.launch,
                                    {args.inputs[0].matrix(), args.outputs[0].matrix(), grid_});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().patchify_backward(
        args.launch, {args.output_gradients[0].matrix(), args.input_gradients[0].matrix(), grid_});
  }

 private:
  PatchGrid grid_;
};

}  // namespace

Value patchify(Executor& ex, Value images, std::int64_t channels, std::int64_t height,
               std::int64_t width, std::int64_t patch) {
  Values inputs;
  inputs.push_back(std::move(images));
  return ex.apply_one(PatchifyOp({channels, height, width, patch}), std::move(inputs));
}

}  // namespace ffn::inline v0
