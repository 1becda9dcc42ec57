#include "ffn/train/classifier.h"

#include <utility>

#include "ffn/autograd/initialize.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {

Classifier::Classifier(Executor& ex, const VitConfig& config, const ModelOptions& options,
                       const DesignRegistry& designs)
    : ex_(ex), model_(config, parameters_, options.seed, designs) {
  parameters_.finalize(ex, options.dtype, options.gradients);
  initialize_all(ex, parameters_, options.seed);
}

Value Classifier::forward(Value images) const {
  Value logits = model_.logits(ex_, std::move(images));
  return logits.dtype() == DType::bf16 ? cast(ex_, std::move(logits), DType::f32) : logits;
}

Tensor Classifier::logits(const Tensor& images) const {
  const EvalScope scope(ex_);
  return forward(ex_.constant(images)).tensor;
}

}  // namespace ffn::inline v0
