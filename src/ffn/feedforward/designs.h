// The entries of the standard designs, one file each.
#pragma once

#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {

// y = act(x·W_upᵀ + b_up)·W_downᵀ + b_down
DesignEntry mlp_design();
// y = (act(x·W_gateᵀ + b) ⊙ (x·W_upᵀ + b))·W_downᵀ + b
DesignEntry glu_design();
// y = act(conv_k×k(x·W_upᵀ + b_up))·W_downᵀ + b_down
DesignEntry dwconv_design();

}  // namespace ffn::inline v0
