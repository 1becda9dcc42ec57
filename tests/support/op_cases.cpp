#include "support/op_cases.h"

#include "ffn/base/philox.h"
#include "support/op_case_builder.h"

namespace ffn::test {

void add_case(std::vector<OpCase>& cases, OpCase added) {
  for (CaseInput& input : added.inputs) {
    const auto count = static_cast<std::size_t>(input.shape.count());
    if (!input.values.empty() || count == 0) continue;
    // Named streams: a case keeps its numbers when others come or go.
    const RandomStream stream(7, added.full_name() + "/" + input.name);
    for (std::size_t i = 0; i < count; ++i) {
      const float magnitude = 0.1f + 1.4f * stream.uniform(0, i);
      const bool negative = (stream.word(1, i) & 1u) != 0;
      input.values.push_back(static_cast<double>(negative ? -magnitude : magnitude));
    }
  }
  cases.push_back(std::move(added));
}

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    add_dense_layer_cases(all);
    add_expert_layer_cases(all);
    add_product_cases(all);
    add_pointwise_cases(all);
    add_row_cases(all);
    add_index_cases(all);
    add_routing_cases(all);
    add_router_cases(all);
    add_attention_cases(all);
    add_token_cases(all);
    add_tiny_network_cases(all);
    return all;
  }();
  return cases;
}

}  // namespace ffn::test
