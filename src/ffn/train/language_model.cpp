#include "ffn/train/language_model.h"

#include <utility>

#include "ffn/autograd/initialize.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {

LanguageModel::LanguageModel(Executor& ex, const DecoderConfig& config, const ModelOptions& options,
                             const DesignRegistry& designs)
    : ex_(ex), model_(config, parameters_, options.seed, designs) {
  parameters_.finalize(ex, options.dtype, options.gradients);
  initialize_all(ex, parameters_, options.seed);
}

Value LanguageModel::forward(const Tensor& ids, std::int64_t tokens) const {
  Value logits = model_.logits(ex_, ids, ids.shape().count() / tokens);
  return logits.dtype() == DType::bf16 ? cast(ex_, std::move(logits), DType::f32) : logits;
}

Tensor LanguageModel::logits(const Tensor& ids, std::int64_t tokens) const {
  const EvalScope scope(ex_);
  return forward(ids, tokens).tensor;
}

}  // namespace ffn::inline v0
