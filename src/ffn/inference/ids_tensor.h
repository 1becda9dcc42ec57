// Ids as a tensor of the step's memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "ffn/autograd/executor.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

// i32 [ids]; without values on a dry device.
inline Tensor ids_tensor(Executor& ex, std::span<const std::int32_t> ids) {
  const Tensor tensor =
      ex.allocate({{static_cast<std::int64_t>(ids.size())}, DType::i32, Role::activation});
  if (!ex.dry()) std::ranges::copy(ids, host_span<std::int32_t>(tensor).begin());
  return tensor;
}

}  // namespace ffn::inline v0
