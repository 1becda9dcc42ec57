#include "ffn/ops/names.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kNames[] = {
    "add",           "attention",
    "batch_norm",    "cache_append",
    "cast",          "concat_cols",
    "cross_entropy", "dropout",
    "gather_rows",   "gelu",
    "gelu_tanh",     "grouped_linear",
    "hardswish",     "layer_norm",
    "linear",        "matmul",
    "multiply",      "quick_gelu",
    "relu",          "relu2",
    "reshape",       "rms_norm",
    "route_top_k",   "scale",
    "scale_rows",    "scatter_add_rows",
    "sigmoid",       "silu",
    "slice_cols",    "slice_rows",
    "softmax",       "split_cols",
    "swish",         "tanh",
};

}  // namespace

std::span<const std::string_view> op_names() { return kNames; }

}  // namespace ffn::inline v0
