// The cpu kernels by family and instruction set: fill_<family> puts the family's kernels of one ISA
// into a table. Each function is the only export of its object.
#pragma once

#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu {

namespace scalar {
void fill_product(KernelTable& table);
void fill_activation(KernelTable& table);
void fill_pointwise(KernelTable& table);
void fill_dropout(KernelTable& table);
void fill_adamw(KernelTable& table);
void fill_norm(KernelTable& table);
void fill_batch_norm(KernelTable& table);
void fill_softmax(KernelTable& table);
void fill_cross_entropy(KernelTable& table);
void fill_indexing(KernelTable& table);
void fill_routing(KernelTable& table);
}  // namespace scalar

namespace avx2 {
void fill_product(KernelTable& table);
void fill_activation(KernelTable& table);
void fill_pointwise(KernelTable& table);
void fill_dropout(KernelTable& table);
void fill_adamw(KernelTable& table);
void fill_norm(KernelTable& table);
void fill_batch_norm(KernelTable& table);
void fill_softmax(KernelTable& table);
void fill_cross_entropy(KernelTable& table);
void fill_indexing(KernelTable& table);
void fill_routing(KernelTable& table);
}  // namespace avx2

namespace avx512 {
void fill_product(KernelTable& table);
void fill_activation(KernelTable& table);
void fill_pointwise(KernelTable& table);
void fill_dropout(KernelTable& table);
void fill_adamw(KernelTable& table);
void fill_norm(KernelTable& table);
void fill_batch_norm(KernelTable& table);
void fill_softmax(KernelTable& table);
void fill_cross_entropy(KernelTable& table);
void fill_indexing(KernelTable& table);
void fill_routing(KernelTable& table);
}  // namespace avx512

namespace avx512_bf16 {
void fill_product(KernelTable& table);
void fill_activation(KernelTable& table);
void fill_pointwise(KernelTable& table);
void fill_dropout(KernelTable& table);
void fill_adamw(KernelTable& table);
void fill_norm(KernelTable& table);
void fill_batch_norm(KernelTable& table);
void fill_softmax(KernelTable& table);
void fill_cross_entropy(KernelTable& table);
void fill_indexing(KernelTable& table);
void fill_routing(KernelTable& table);
}  // namespace avx512_bf16

}  // namespace ffn::inline v0::kernels::cpu
