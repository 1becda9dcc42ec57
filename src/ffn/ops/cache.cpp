#include "ffn/ops/cache.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Inputs: the cache, which is written in place, and x.
class CacheAppendOp final : public Op {
 public:
  CacheAppendOp(std::int64_t position, std::int64_t ld) : position_(position), ld_(ld) {}

  std::string_view name() const override { return "cache_append"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &cache = inputs[0], &x = inputs[1];
    check(position_ >= 0, ErrorKind::config, name(), "position is ", position_,
          "; it must be at least 0");
    check(x.cols() == cache.cols() && position_ <= cache.rows() - x.rows(), ErrorKind::shape,
          name(), "x is ", x.shape, ", the cache is ", cache.shape, "; rows [", position_, ", ",
          position_, " + ", x.rows(), ") do not fit");
    op_detail::require_compute(name(), "x", x, context);
    op_detail::require_compute(name(), "the cache", cache, context);
    OpSpec spec;
    spec.outputs.push_back({{position_ + x.rows(), cache.cols()}, cache.dtype, Role::state});
    spec.views.push_back({0, 0, 0, ld_});
    spec.writes = 1;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& x = args.inputs[1];
    const Tensor to = args.inputs[0].slice_rows(position_, x.rows());
    args.kernels().copy(args.launch, {x.matrix(), to.matrix(), 1, false});
  }

  // The executor refuses to record a write.
  void backward(const BackwardArgs&) const override { FFN_ASSERT(false); }

 private:
  std::int64_t position_, ld_;
};

}  // namespace

Value cache_append(Executor& ex, State& cache, const Value& x, std::int64_t position) {
  Values inputs;
  inputs.push_back(ex.constant(cache.tensor));
  inputs.push_back(x);
  return ex.apply_one(CacheAppendOp(position, cache.tensor.ld()), std::move(inputs));
}

}  // namespace ffn::inline v0
