#include "ffn/ops/names.h"

namespace ffn::inline v0 {
namespace {

// clang-format off: one name per line
constexpr std::string_view kNames[] = {
    "add",
    "attention",
    "balance_loss",
    "batch_norm",
    "cache_append",
    "cast",
    "causal_conv",
    "choose_experts",
    "choose_tokens",
    "concat_cols",
    "cross_entropy",
    "dense_layer",
    "depthwise_conv",
    "drop_path",
    "dropout",
    "expert_layer",
    "expert_load",
    "gate_tokens",
    "gather_rows",
    "gelu",
    "gelu_tanh",
    "grouped_linear",
    "hardsigmoid",
    "hardswish",
    "importance_loss",
    "jitter",
    "layer_norm",
    "linear",
    "matmul",
    "mean_tokens",
    "mix_tokens",
    "move_bias",
    "multiply",
    "normalise_rows",
    "pad_tokens",
    "patchify",
    "prepend_token",
    "quick_gelu",
    "relu",
    "relu2",
    "repeat_rows",
    "reshape",
    "rms_norm",
    "rope",
    "scale",
    "scale_rows",
    "scatter_add_rows",
    "sigmoid",
    "silu",
    "slice_cols",
    "slice_rows",
    "soft_cross_entropy",
    "softmax",
    "sort_slots",
    "split_cols",
    "swap_blocks",
    "swish",
    "take_tokens",
    "tanh",
    "tiny_network",
    "z_loss",
};
// clang-format on

}  // namespace

std::span<const std::string_view> op_names() { return kNames; }

}  // namespace ffn::inline v0
