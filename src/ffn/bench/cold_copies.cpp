#include "ffn/bench/cold_copies.h"

#include <algorithm>

namespace ffn::inline v0 {
namespace {

// A gigabyte or two is what a machine can spare.
constexpr std::int64_t kMostCopyBytes = std::int64_t{2} << 30;

}  // namespace

std::int64_t cold_copies(std::int64_t read, std::int64_t held, const CacheSizes& caches) {
  const std::int64_t each = std::max<std::int64_t>(1, read);
  const std::int64_t wanted = (4 * caches.l3_bytes + each - 1) / each;
  const std::int64_t most = kMostCopyBytes / std::max<std::int64_t>(1, held);
  return std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(1, most));
}

}  // namespace ffn::inline v0
