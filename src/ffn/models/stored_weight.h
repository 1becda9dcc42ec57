// A weight as it stands in a checkpoint file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// The file's name is the parameter's own; its shape may have more axes ([D, C, p, p] for the
// convolution that embeds patches) over the same elements in the same order.
struct StoredWeight {
  Parameter* parameter = nullptr;
  std::vector<std::int64_t> shape;
};

}  // namespace ffn::inline v0
