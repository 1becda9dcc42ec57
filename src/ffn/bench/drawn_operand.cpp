#include "ffn/bench/drawn_operand.h"

#include <algorithm>

#include "ffn/base/blocks.h"
#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

std::vector<std::int64_t> sampled(std::int64_t count) {
  constexpr std::int64_t kSampled = 32;
  std::vector<std::int64_t> chosen;
  const std::int64_t wanted = std::min(count, kSampled);
  for (std::int64_t i = 0; i < wanted; ++i)
    chosen.push_back(wanted == 1 ? 0 : i * (count - 1) / (wanted - 1));
  return chosen;
}

Tensor drawn_operand(Executor& ex, const char* name, DType dtype, std::int64_t rows,
                     std::int64_t cols) {
  const Tensor made = ex.allocate_persistent({{rows, cols}, dtype, Role::activation}, Tag::data);
  const RandomStream stream(1, name);
  std::vector<float> row(static_cast<std::size_t>(cols));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t col = 0; col < cols; ++col)
      row[static_cast<std::size_t>(col)] =
          2 * stream.uniform(static_cast<std::uint64_t>(r), static_cast<std::uint64_t>(col)) - 1;
    if (is_block(dtype)) {
      quantize_row(dtype, row.data(), cols, made.data() + r * dtype_bytes(dtype, cols));
    } else {
      set_host_values(made.slice_rows(r, 1), std::vector<double>(row.begin(), row.end()));
    }
  }
  return made;
}

}  // namespace ffn::inline v0
