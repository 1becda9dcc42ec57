// One table of kernels per device. A kernel is a plain function of (where to run, what to do); x
// and x_workspace stand side by side. Every entry is filled: a backend that lacks a fast version
// uses the reference's loop, never a null pointer.
#pragma once

#include "ffn/base/cpu_features.h"
#include "ffn/kernels/attention.h"
#include "ffn/kernels/block_product.h"
#include "ffn/kernels/causal_conv.h"
#include "ffn/kernels/conv.h"
#include "ffn/kernels/expert_layer.h"
#include "ffn/kernels/indexing.h"
#include "ffn/kernels/norm.h"
#include "ffn/kernels/pointwise.h"
#include "ffn/kernels/product.h"
#include "ffn/kernels/quantized_product.h"
#include "ffn/kernels/reduce.h"
#include "ffn/kernels/rope.h"
#include "ffn/kernels/routing.h"
#include "ffn/kernels/tiny_network.h"
#include "ffn/kernels/tokens.h"

namespace ffn::inline v0::kernels {

template <class Args>
using Kernel = void (*)(const LaunchContext&, const Args&);

struct KernelTable {
  Kernel<ProductArgs> product;
  std::int64_t (*product_workspace)(const ProductShape&, int threads);
  std::int64_t (*product_piece)(std::int64_t K);  // ≥ 1
  Kernel<QuantizedProductArgs> quantized_product;
  std::int64_t (*quantized_product_workspace)(const QuantizedProductShape&, int threads);
  Kernel<PackQuantizedArgs> pack_quantized;
  std::int64_t (*packed_quantized_bytes)(const QuantizedFormat&, std::int64_t N, std::int64_t K);
  Kernel<BlockProductArgs> block_product;
  std::int64_t (*block_product_workspace)(const BlockProductShape&, int threads);
  Kernel<GroupedProductArgs> grouped_product;
  // Shape: m = R rows in all, n, k as of one expert's product (tn: m, n of C_e and k = R).
  std::int64_t (*grouped_product_workspace)(const ProductShape&, std::int64_t experts, int threads);
  Kernel<ExpertLayerArgs> expert_layer;
  std::int64_t (*expert_layer_workspace)(const ExpertLayerShape&, int threads);
  Kernel<PackLayerArgs> pack_layer;
  std::int64_t (*packed_layer_bytes)(const ExpertLayerShape&);  // 0: it packs no layers
  Kernel<PackArgs> pack_b;
  // b: rows, cols and dtype count.
  std::int64_t (*packed_b_bytes)(ProductForm form, const ConstMatrix& b, DType a);
  std::int64_t (*pack_granularity)();
  Kernel<RowSumArgs> row_sum;
  std::int64_t (*row_sum_workspace)(std::int64_t rows, std::int64_t cols, std::int64_t period);
  Kernel<GroupedRowSumArgs> grouped_row_sum;

  Kernel<ActivationForwardArgs> activation_forward;
  Kernel<ActivationBackwardArgs> activation_backward;
  Kernel<NeuronForwardArgs> neuron_forward;
  Kernel<NeuronBackwardArgs> neuron_backward;
  Kernel<MultiplyForwardArgs> multiply_forward;
  Kernel<MultiplyBackwardArgs> multiply_backward;
  Kernel<AddForwardArgs> add_forward;
  Kernel<CopyArgs> copy;
  Kernel<FillArgs> fill;
  Kernel<DropoutArgs> dropout;
  Kernel<JitterArgs> jitter;
  Kernel<ScaleRowsForwardArgs> scale_rows_forward;
  Kernel<ScaleRowsBackwardArgs> scale_rows_backward;
  Kernel<AdamWArgs> adamw;

  Kernel<LayerNormForwardArgs> layer_norm_forward;
  Kernel<LayerNormBackwardArgs> layer_norm_backward;
  Kernel<RmsNormForwardArgs> rms_norm_forward;
  Kernel<RmsNormBackwardArgs> rms_norm_backward;
  Kernel<BatchNormForwardArgs> batch_norm_forward;
  Kernel<BatchNormBackwardArgs> batch_norm_backward;
  // Workspace of the three norm backwards, whose weight gradients sum over rows in fixed chunks,
  // and of the batch norm forward.
  std::int64_t (*norm_workspace)(std::int64_t rows, std::int64_t cols);

  Kernel<SoftmaxForwardArgs> softmax_forward;
  Kernel<SoftmaxBackwardArgs> softmax_backward;
  Kernel<CrossEntropyForwardArgs> cross_entropy_forward;
  Kernel<CrossEntropyBackwardArgs> cross_entropy_backward;
  Kernel<SoftCrossEntropyForwardArgs> soft_cross_entropy_forward;
  Kernel<SoftCrossEntropyBackwardArgs> soft_cross_entropy_backward;
  std::int64_t (*cross_entropy_workspace)(std::int64_t rows);  // of either kind of targets

  Kernel<AttentionForwardArgs> attention_forward;
  Kernel<AttentionBackwardArgs> attention_backward;
  std::int64_t (*attention_workspace)(const AttentionShape&, int threads);
  std::int64_t (*attention_backward_workspace)(const AttentionShape&, int threads);

  Kernel<SumSquaresArgs> sum_squares;
  std::int64_t (*sum_squares_workspace)(std::int64_t rows, std::int64_t cols);

  Kernel<GatherRowsArgs> gather_rows;
  Kernel<ScatterAddRowsArgs> scatter_add_rows;
  std::int64_t (*scatter_add_rows_workspace)(std::int64_t rows, std::int64_t cols, DType y);

  Kernel<ChooseExpertsArgs> choose_experts;
  Kernel<SortSlotsArgs> sort_slots;
  Kernel<ChooseTokensArgs> choose_tokens;
  Kernel<ExpertLoadArgs> expert_load;
  Kernel<MoveBiasArgs> move_bias;
  Kernel<BalanceLossForwardArgs> balance_loss_forward;
  Kernel<BalanceLossBackwardArgs> balance_loss_backward;
  Kernel<ZLossForwardArgs> z_loss_forward;
  Kernel<ZLossBackwardArgs> z_loss_backward;
  Kernel<ImportanceLossForwardArgs> importance_loss_forward;
  Kernel<ImportanceLossBackwardArgs> importance_loss_backward;
  Kernel<NormaliseRowsForwardArgs> normalise_rows_forward;
  Kernel<NormaliseRowsBackwardArgs> normalise_rows_backward;

  Kernel<DepthwiseConvForwardArgs> depthwise_conv_forward;
  Kernel<DepthwiseConvBackwardArgs> depthwise_conv_backward;
  std::int64_t (*depthwise_conv_forward_workspace)(std::int64_t channels, std::int64_t k);
  std::int64_t (*depthwise_conv_backward_workspace)(std::int64_t sequences, std::int64_t channels,
                                                    std::int64_t k);

  Kernel<CausalConvForwardArgs> causal_conv_forward;
  Kernel<CausalConvBackwardArgs> causal_conv_backward;
  std::int64_t (*causal_conv_forward_workspace)(std::int64_t channels, std::int64_t k);
  std::int64_t (*causal_conv_backward_workspace)(std::int64_t sequences, std::int64_t channels,
                                                 std::int64_t k);

  Kernel<RopeArgs> rope;  // back: its own backward
  std::int64_t (*rope_workspace)(std::int64_t tokens, std::int64_t rotary_width);

  Kernel<PatchifyForwardArgs> patchify_forward;
  Kernel<PatchifyBackwardArgs> patchify_backward;
  Kernel<MeanTokensForwardArgs> mean_tokens_forward;
  Kernel<MeanTokensBackwardArgs> mean_tokens_backward;
  Kernel<GateTokensForwardArgs> gate_tokens_forward;
  Kernel<GateTokensBackwardArgs> gate_tokens_backward;

  Kernel<TinyNetworkForwardArgs> tiny_network_forward;
  Kernel<TinyNetworkBackwardArgs> tiny_network_backward;
  std::int64_t (*tiny_network_forward_workspace)(const TinyNetworkShape&, std::int64_t rows,
                                                 DType x, DType weights, int threads);
  std::int64_t (*tiny_network_backward_workspace)(const TinyNetworkShape&, std::int64_t rows,
                                                  bool wants_weights, int threads);
};

// Readable scalar loops in double (complex double for c128): the specification of every kernel.
const KernelTable& reference_table();

// The cpu kernels compiled for one ISA. Throws Error{device} when the build lacks them; calling a
// kernel of an ISA that cpu_supports() denies is a programmer error.
const KernelTable& cpu_table(Isa isa);

}  // namespace ffn::inline v0::kernels
