#include "ffn/bench/require_values.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/check.h"
#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

double largest_of(const NamedValues& part) {
  double largest = 0;
  for (const double value : part.values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

void require_values(const std::string& name, std::span<const NamedValues> exact,
                    std::span<const NamedValues> found, DType dtype) {
  FFN_ASSERT(exact.size() == found.size());
  double overall = 0;
  for (const NamedValues& part : exact) overall = std::max(overall, largest_of(part));
  const double share = dtype == DType::bf16 ? 2e-2 : 1e-4;
  for (std::size_t p = 0; p < exact.size(); ++p) {
    FFN_ASSERT(exact[p].values.size() == found[p].values.size());
    const double bound = share * std::max(largest_of(exact[p]), 1e-3 * overall);
    for (std::size_t i = 0; i < exact[p].values.size(); ++i) {
      const double expected = exact[p].values[i], got = found[p].values[i];
      // Written so that NaN is refused.
      check(std::abs(got - expected) <= bound, ErrorKind::device, name, exact[p].name, " is ", got,
            " at place ", i, ", the reference says ", expected, " ± ", bound);
    }
  }
}

}  // namespace ffn::inline v0
