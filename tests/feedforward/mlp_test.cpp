#include "feedforward/designs.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(mlp, Designs,
                         testing::ValuesIn(design_cases(Tokens::plain,
                                                        {"mlp(gelu)", "mlp(silu, hidden=9)",
                                                         "mlp(tanh, x1.4)"})));

}  // namespace ffn::test
