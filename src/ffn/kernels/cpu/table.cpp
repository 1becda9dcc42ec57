// Compiled without ISA flags: it runs before the processor is known.
#include "ffn/kernels/table.h"

#include <initializer_list>

#include "ffn/base/error.h"
#include "ffn/kernels/cpu/families.h"

namespace ffn::inline v0::kernels {
namespace {

using Fill = void (*)(KernelTable&);

// Starts from the reference, so that no entry is ever null.
KernelTable build_table(std::initializer_list<Fill> families) {
  KernelTable table = reference_table();
  for (const Fill fill : families) fill(table);
  return table;
}

const KernelTable& scalar_table() {
  using namespace cpu::scalar;
  static const KernelTable table = build_table(
      {fill_product, fill_activation, fill_pointwise, fill_dropout, fill_adamw, fill_norm,
       fill_batch_norm, fill_softmax, fill_cross_entropy, fill_indexing, fill_routing});
  return table;
}

#if defined(FFN_CPU_X86)
const KernelTable& avx2_table() {
  using namespace cpu::avx2;
  static const KernelTable table = build_table(
      {fill_product, fill_activation, fill_pointwise, fill_dropout, fill_adamw, fill_norm,
       fill_batch_norm, fill_softmax, fill_cross_entropy, fill_indexing, fill_routing});
  return table;
}

const KernelTable& avx512_table() {
  using namespace cpu::avx512;
  static const KernelTable table = build_table(
      {fill_product, fill_activation, fill_pointwise, fill_dropout, fill_adamw, fill_norm,
       fill_batch_norm, fill_softmax, fill_cross_entropy, fill_indexing, fill_routing});
  return table;
}

const KernelTable& avx512_bf16_table() {
  using namespace cpu::avx512_bf16;
  static const KernelTable table = build_table(
      {fill_product, fill_activation, fill_pointwise, fill_dropout, fill_adamw, fill_norm,
       fill_batch_norm, fill_softmax, fill_cross_entropy, fill_indexing, fill_routing});
  return table;
}
#endif

}  // namespace

const KernelTable& cpu_table(Isa isa) {
  switch (isa) {
    case Isa::scalar: return scalar_table();
#if defined(FFN_CPU_X86)
    case Isa::avx2: return avx2_table();
    case Isa::avx512: return avx512_table();
    case Isa::avx512_bf16: return avx512_bf16_table();
#else
    case Isa::avx2:
    case Isa::avx512:
    case Isa::avx512_bf16: break;
#endif
  }
  fail(ErrorKind::device, "cpu_table", "this build has no kernels for ", to_string(isa));
}

}  // namespace ffn::inline v0::kernels
