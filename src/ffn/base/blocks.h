// Quantised weight blocks: 32 consecutive elements of a row share one f16 scale d. Byte layout is
// that of the GGUF types of the same name (little endian):
//   q4_0, 18 bytes: d, then 16 bytes; byte j holds element j (low nibble) and j+16 (high);
//                   x = d·(q − 8)
//   q8_0, 34 bytes: d, then 32 signed bytes; x = d·q
#pragma once

#include <cstddef>
#include <cstdint>

#include "ffn/base/dtype.h"

namespace ffn::inline v0 {

// x[0..count) from the blocks at `source` (dtype_bytes(dtype, count) bytes, any alignment), exact
// up to one f32 rounding of d·q. Throws Error{dtype} unless dtype is a block type, Error{shape}
// unless count is a multiple of kQuantBlock.
void dequantize_row(DType dtype, const std::byte* source, std::int64_t count, float* x);

// Nearest block representation of x[0..count). The scale d is computed in f32 and stored as f16;
// elements are rounded with the f32 scale:
//   q4_0: d = (element of largest magnitude)/−8, q = min(15, ⌊x·(1/d) + 8.5⌋)
//   q8_0: d = max|x|/127, q = x·(1/d) to nearest, halves away from zero
// A block whose scale rounds to 0 in f16 gets the q of zero. With f = f16(d) and s the signed step
// (q − 8 or q), |x − f·s| ≤ |d|/2 + |s·(d − f)| plus f32 rounding, except where a q4_0 element
// would need +8 steps: there ≤ |d| + |s·(d − f)|. Errors as above, and Error{dtype} for an element
// that is not finite or a scale beyond f16.
void quantize_row(DType dtype, const float* x, std::int64_t count, std::byte* target);

}  // namespace ffn::inline v0
