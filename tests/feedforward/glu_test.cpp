#include "feedforward/designs.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(glu, Designs,
                         testing::ValuesIn(design_cases(Tokens::plain,
                                                        {"glu(silu)", "glu(identity, hidden=7)",
                                                         "glu(gelu_tanh, hidden=3)"})));

}  // namespace ffn::test
