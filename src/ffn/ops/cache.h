// Rows appended to a preallocated state: the KV cache.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// cache[position + t, :] = x[t, :], in the cache's dtype; returns the view of rows [0, position +
// T) that attention reads. cache [bound, C] is a state, x [T, C]. Saves nothing, has no gradient:
// refused by the executor under a tape. Errors: shape when columns differ or position + T exceeds
// the bound; dtype; config when position < 0.
Value cache_append(Executor& ex, State& cache, const Value& x, std::int64_t position);

}  // namespace ffn::inline v0
