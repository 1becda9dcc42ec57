#include "ffn/kernels/table.h"

#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels {

const KernelTable& reference_table() {
  static const KernelTable table = [] {
    KernelTable filled{};
    reference::add_product_kernels(filled);
    reference::add_quantized_product_kernels(filled);
    reference::add_block_product_kernels(filled);
    reference::add_expert_layer_kernels(filled);
    reference::add_pointwise_kernels(filled);
    reference::add_norm_kernels(filled);
    reference::add_softmax_kernels(filled);
    reference::add_attention_kernels(filled);
    reference::add_cross_entropy_kernels(filled);
    reference::add_reduce_kernels(filled);
    reference::add_indexing_kernels(filled);
    reference::add_routing_kernels(filled);
    reference::add_router_loss_kernels(filled);
    reference::add_conv_kernels(filled);
    reference::add_causal_conv_kernels(filled);
    reference::add_rope_kernels(filled);
    reference::add_token_kernels(filled);
    reference::add_tiny_network_kernels(filled);
    return filled;
  }();
  return table;
}

}  // namespace ffn::inline v0::kernels
