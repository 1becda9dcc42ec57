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
    "concat_cols",
    "cross_entropy",
    "depthwise_conv",
    "drop_path",
    "dropout",
    "gather_rows",
    "gelu",
    "gelu_tanh",
    "grouped_linear",
    "hardswish",
    "layer_norm",
    "linear",
    "matmul",
    "mean_tokens",
    "multiply",
    "patchify",
    "prepend_token",
    "quick_gelu",
    "relu",
    "relu2",
    "reshape",
    "rms_norm",
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
    "tanh",
    "tiny_network",
};
// clang-format on

}  // namespace

std::span<const std::string_view> op_names() { return kNames; }

}  // namespace ffn::inline v0
