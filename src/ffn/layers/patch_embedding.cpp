#include "ffn/layers/patch_embedding.h"

#include "ffn/ops/linear.h"
#include "ffn/ops/patchify.h"

namespace ffn::inline v0 {

Value patch_embedding(Executor& ex, Value images, const Value& weight, const Value& bias,
                      std::int64_t channels, std::int64_t height, std::int64_t width,
                      std::int64_t patch) {
  Value patches = patchify(ex, std::move(images), channels, height, width, patch);
  return linear(ex, std::move(patches), weight, bias);
}

}  // namespace ffn::inline v0
