// Quantised weight blocks: consecutive elements of a row that share their scales. Byte layout is
// that of the GGUF types of the same name (little endian; d and m are f16).
//
// 32 elements; 4-bit integers stand two in a byte, q of element j in the low and of element j + 16
// in the high half of byte j:
//   q4_0,  18 bytes: d, 16 bytes of q;                                     x = d·(q − 8)
//   q4_1,  20 bytes: d, m, 16 bytes of q;                                  x = d·q + m
//   q5_0,  22 bytes: d, 4 bytes whose bit j is the fifth (highest) bit of element j's q, 16 bytes
//                    of the lower four;                                    x = d·(q − 16)
//   q8_0,  34 bytes: d, 32 signed bytes;                                   x = d·q
// 256 elements:
//   q4_k, 144 bytes: d, m, 12 bytes of scales, 128 bytes of q; 8 groups of 32 elements with a scale
//                    s and a minimum o of 6 bits each;                     x = d·s·q − m·o
//                    Scales: bytes 0…3 hold s of groups 0…3 in their lower six bits, bytes 4…7 o of
//                    groups 0…3; byte 8 + g holds the lower four bits of s (low half) and o (high
//                    half) of group 4 + g, whose upper two are the upper two of bytes g and 4 + g.
//                    q: 32 bytes for two groups, the first in the low halves, the second in the
//                    high.
//   q6_k, 210 bytes: 128 bytes of lower four bits, 64 bytes of upper two bits, 16 signed bytes of
//                    scales s, one for 16 elements, d;                     x = d·s·(q − 32)
//                    Each half of 128 elements has 64 bytes of lower and 32 of upper bits: element
//                    32·r + l takes half r / 2 of byte 32·(r % 2) + l, and bits 2r of byte l.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ffn/base/dtype.h"

namespace ffn::inline v0 {

// x[0..count) from the blocks at `source` (dtype_bytes(dtype, count) bytes, any alignment).
// Products of the scales and q have at most 23 bits, so q4_0, q5_0, q8_0 and q6_k are exact and
// q4_1 and q4_k rounded once, by the sum. Throws Error{dtype} unless dtype is a block type,
// Error{shape} unless count is a multiple of block_elements(dtype).
void dequantize_row(DType dtype, const std::byte* source, std::int64_t count, float* x);

// Nearest block representation of x[0..count), of q4_0 and q8_0. The scale d is computed in f32 and
// stored as f16; elements are rounded with the f32 scale:
//   q4_0: d = (element of largest magnitude)/−8, q = min(15, ⌊x·(1/d) + 8.5⌋)
//   q8_0: d = max|x|/127, q = x·(1/d) to nearest, halves away from zero
// A block whose scale rounds to 0 in f16 gets the q of zero. With f = f16(d) and s the signed step
// (q − 8 or q), |x − f·s| ≤ |d|/2 + |s·(d − f)| plus f32 rounding, except where a q4_0 element
// would need +8 steps: there ≤ |d| + |s·(d − f)|. Errors as above, and Error{dtype} for another
// type, an element that is not finite or a scale beyond f16.
void quantize_row(DType dtype, const float* x, std::int64_t count, std::byte* target);

}  // namespace ffn::inline v0
