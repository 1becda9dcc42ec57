#include "ffn/ops/names.h"

namespace ffn::inline v0 {
namespace {

// clang-format off: one name per line
constexpr std::string_view kNames[] = {
    "add",
    "attention",
    "batch_norm",
    "cache_append",
    "cast",
    "causal_conv",
    "concat_cols",
    "cross_entropy",
    "depthwise_conv",
    "drop_path",
    "dropout",
    "gate_tokens",
    "gather_rows",
    "gelu",
    "gelu_tanh",
    "grouped_linear",
    "hardsigmoid",
    "hardswish",
    "layer_norm",
    "linear",
    "matmul",
    "mean_tokens",
    "mix_tokens",
    "multiply",
    "pad_tokens",
    "patchify",
    "prepend_token",
    "quick_gelu",
    "relu",
    "relu2",
    "reshape",
    "rms_norm",
    "rope",
    "route_top_k",
    "scale",
    "scale_rows",
    "scatter_add_rows",
    "sigmoid",
    "silu",
    "slice_cols",
    "slice_rows",
    "soft_cross_entropy",
    "softmax",
    "split_cols",
    "swish",
    "take_tokens",
    "tanh",
    "tiny_network",
};
// clang-format on

}  // namespace

std::span<const std::string_view> op_names() { return kNames; }

}  // namespace ffn::inline v0
