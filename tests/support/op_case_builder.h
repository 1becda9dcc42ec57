// Short words for writing cases down (op_cases_*.cpp).
#pragma once

#include <initializer_list>
#include <utility>

#include "support/op_cases.h"

namespace ffn::test {

inline CaseInput number(std::string name, const Shape& shape) {
  return {std::move(name), InputKind::number, shape, true, {}};
}
inline CaseInput statistic(std::string name, const Shape& shape) {
  return {std::move(name), InputKind::statistic, shape, true, {}};
}
inline CaseInput frozen(std::string name, InputKind kind, const Shape& shape) {
  return {std::move(name), kind, shape, false, {}};
}
inline CaseInput index(std::string name, const Shape& shape, std::vector<double> values) {
  return {std::move(name), InputKind::index, shape, false, std::move(values)};
}
inline CaseInput index(std::string name, std::vector<double> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return index(std::move(name), shape, std::move(values));
}
inline CaseInput without_gradient(CaseInput input) {
  input.wants = false;
  return input;
}

// "3x7" as part of a name: 3_7.
inline std::string sizes(std::initializer_list<std::int64_t> axes) {
  std::string text;
  for (const std::int64_t axis : axes) {
    if (!text.empty()) text.push_back('_');
    text.append(std::to_string(axis));
  }
  return text;
}

// Adds a case; inputs without values get random ones of magnitude 0.1 to 1.5, either sign.
void add_case(std::vector<OpCase>& cases, OpCase added);

void add_dense_layer_cases(std::vector<OpCase>& cases);
void add_expert_layer_cases(std::vector<OpCase>& cases);
void add_product_cases(std::vector<OpCase>& cases);
void add_pointwise_cases(std::vector<OpCase>& cases);
void add_row_cases(std::vector<OpCase>& cases);
void add_index_cases(std::vector<OpCase>& cases);
void add_routing_cases(std::vector<OpCase>& cases);
void add_router_cases(std::vector<OpCase>& cases);
void add_attention_cases(std::vector<OpCase>& cases);
void add_token_cases(std::vector<OpCase>& cases);
void add_tiny_network_cases(std::vector<OpCase>& cases);

}  // namespace ffn::test
