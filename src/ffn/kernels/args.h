// What every kernel argument is made of: plain pointers, sizes and leading dimensions. No Tensor
// here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ffn/base/dtype.h"
#include "ffn/base/thread_pool.h"

namespace ffn::inline v0::kernels {

// Rows of `cols` elements; row r starts `r·ld` elements after data (for block dtypes ld and cols
// are multiples of 32). ld ≥ cols. data == nullptr means "absent" where a field says it may be.
struct ConstMatrix {
  const void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t rows = 0, cols = 0, ld = 0;
};

struct Matrix {
  void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t rows = 0, cols = 0, ld = 0;

  operator ConstMatrix() const { return {data, dtype, rows, cols, ld}; }
};

// A gradient to produce: absent (data null, nothing wanted), overwritten, or added to.
struct GradMatrix {
  Matrix to;
  bool accumulate = false;
};

// Where a kernel runs. The workspace holds at least what the kernel's x_workspace() asked for the
// same arguments, 64-byte aligned, uninitialised. Kernels never allocate.
struct LaunchContext {
  ThreadPool* threads = nullptr;
  std::byte* workspace = nullptr;
  std::int64_t workspace_bytes = 0;
};

}  // namespace ffn::inline v0::kernels
