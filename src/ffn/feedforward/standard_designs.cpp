// THE registry: every design that comes with the library, one line each, and the short names.
#include "ffn/feedforward/design_entries.h"  // from CMakeLists.txt: <name>_design() of every file
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {
namespace {

DesignRegistry make_standard_designs() {
  DesignRegistry designs;
  designs.add(mlp_design());
  designs.add(glu_design());
  designs.add(dwconv_design());
  designs.add(gmlp_design());
  designs.add(lowrank_design());
  designs.add(leff_design());
  designs.add(localvit_design());
  designs.add(daff_design());
  designs.add(causal_dwconv_design());
  designs.add(tiny_design());
  designs.add(moe_design());
  designs.add(switch_design());
  designs.add(deepseek_moe_design());
  designs.add(expert_choice_design());
  designs.add(soft_moe_design());
  designs.add(lora_moe_design());

  designs.add_alias({"swiglu", "glu(silu)"});
  designs.add_alias({"geglu", "glu(gelu)"});
  designs.add_alias({"reglu", "glu(relu)"});
  designs.add_alias({"bilinear", "glu(identity)"});
  designs.add_alias({"mixffn", "dwconv(gelu)"});
  designs.add_alias({"gelu", "mlp(gelu)"});
  designs.add_alias({"relu", "mlp(relu)"});
  designs.add_alias({"relu2", "mlp(relu2)"});
  designs.add_alias({"swish", "mlp(silu)"});
  designs.add_alias({"griffin-mlp", "glu(gelu_tanh, x3, bias=true)"});
  designs.add_alias({"mamba-mlp", "glu(silu, multiple=128, fused=up-gate, bias=false)"});
  return designs;
}

}  // namespace

const DesignRegistry& standard_designs() {
  static const DesignRegistry registry = make_standard_designs();
  return registry;
}

}  // namespace ffn::inline v0
