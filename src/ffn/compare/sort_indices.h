// Indices in an order that has no ties.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ffn::inline v0 {

// Sorted by before(a, b); where neither comes first, the lower index does. (std::stable_sort would
// do, but libstdc++ 12 implements it with a function that C++17 deprecates.)
template <class Before>
void sort_indices(std::vector<std::size_t>& indices, const Before& before) {
  std::ranges::sort(indices, [&](std::size_t a, std::size_t b) {
    if (before(a, b)) return true;
    return !before(b, a) && a < b;
  });
}

}  // namespace ffn::inline v0
