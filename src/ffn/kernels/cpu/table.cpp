// Compiled without ISA flags: it runs before the processor is known.
#include "ffn/kernels/table.h"

#include "ffn/base/error.h"
#include "ffn/kernels/cpu/families.h"

namespace ffn::inline v0::kernels {
namespace {

// Starts from the reference, so that no entry is ever null.
template <const auto& families>
const KernelTable& filled_table() {
  static const KernelTable table = [] {
    KernelTable filled = reference_table();
    for (const cpu::Fill fill : families) fill(filled);
    return filled;
  }();
  return table;
}

}  // namespace

const KernelTable& cpu_table(Isa isa) {
  switch (isa) {
    case Isa::scalar: return filled_table<cpu::scalar::kFamilies>();
#if defined(FFN_CPU_X86)
    case Isa::avx2: return filled_table<cpu::avx2::kFamilies>();
    case Isa::avx512: return filled_table<cpu::avx512::kFamilies>();
    case Isa::avx512_bf16: return filled_table<cpu::avx512_bf16::kFamilies>();
#else
    case Isa::avx2:
    case Isa::avx512:
    case Isa::avx512_bf16: break;
#endif
  }
  fail(ErrorKind::device, "cpu_table", "this build has no kernels for ", to_string(isa));
}

}  // namespace ffn::inline v0::kernels
