// One file per family of kernels; each fills its own entries of the table.
#pragma once

#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::reference {

void add_product_kernels(KernelTable& table);
void add_quantized_product_kernels(KernelTable& table);
void add_block_product_kernels(KernelTable& table);
void add_expert_layer_kernels(KernelTable& table);
void add_pointwise_kernels(KernelTable& table);
void add_norm_kernels(KernelTable& table);
void add_softmax_kernels(KernelTable& table);
void add_attention_kernels(KernelTable& table);
void add_cross_entropy_kernels(KernelTable& table);
void add_reduce_kernels(KernelTable& table);
void add_indexing_kernels(KernelTable& table);
void add_routing_kernels(KernelTable& table);
void add_router_loss_kernels(KernelTable& table);
void add_conv_kernels(KernelTable& table);
void add_causal_conv_kernels(KernelTable& table);
void add_rope_kernels(KernelTable& table);
void add_token_kernels(KernelTable& table);
void add_tiny_network_kernels(KernelTable& table);

}  // namespace ffn::inline v0::kernels::reference
