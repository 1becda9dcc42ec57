// The cpu kernels by family and instruction set: fill_<family> puts the family's kernels of one ISA
// into a table. Each function is the only export of its object, so nothing else may be shared here.
#pragma once

#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu {

using Fill = void (*)(KernelTable&);

namespace scalar {
#include "ffn/kernels/cpu/families.inc"
}
namespace avx2 {
#include "ffn/kernels/cpu/families.inc"
}
namespace avx512 {
#include "ffn/kernels/cpu/families.inc"
}
namespace avx512_bf16 {
#include "ffn/kernels/cpu/families.inc"
}

}  // namespace ffn::inline v0::kernels::cpu
