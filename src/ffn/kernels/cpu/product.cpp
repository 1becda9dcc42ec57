// Matrix products and row sums of one instruction set. Equations: kernels/product.h. From the
// inside out: product_tile.h (registers), product_pack.h (operands become f32), product_block.h
// (cache blocks), product_few_rows.h (no packing), product_plan.h (threads, workspace),
// product_grouped.h (experts), expert_layer.h (their layers in one pass).
#include "ffn/kernels/cpu/expert_layer.h"
#include "ffn/kernels/cpu/families.h"
#include "ffn/kernels/cpu/product_grouped.h"
#include "ffn/kernels/cpu/row_sum.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {

void fill_product(KernelTable& table) {
  table.product = product;
  table.product_workspace = product_workspace;
  table.product_piece = product_piece;
  table.grouped_product = grouped_product;
  table.grouped_product_workspace = grouped_product_workspace;
  table.expert_layer = expert_layer;
  table.expert_layer_workspace = expert_layer_workspace;
  table.pack_layer = pack_layer;
  table.packed_layer_bytes = packed_layer_bytes;
  table.pack_b = pack_b;
  table.packed_b_bytes = packed_b_bytes;
  table.pack_granularity = []() -> std::int64_t { return kPanel; };
  table.row_sum = row_sum;
  table.grouped_row_sum = grouped_row_sum;
  table.row_sum_workspace = [](std::int64_t, std::int64_t, std::int64_t) -> std::int64_t {
    return 0;
  };
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
