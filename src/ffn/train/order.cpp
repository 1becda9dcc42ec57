#include "ffn/train/order.h"

#include <utility>

#include "ffn/base/check.h"

namespace ffn::inline v0 {

void permute(const RandomStream& stream, std::uint64_t step, std::span<std::uint32_t> order) {
  FFN_ASSERT(order.size() < (std::uint64_t{1} << 32));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[stream.below(static_cast<std::uint32_t>(i), step, i)]);
}

}  // namespace ffn::inline v0
