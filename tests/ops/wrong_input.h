// Wrong inputs of the operations: who must refuse what, and with which words.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/base/error.h"
#include "ffn/tensor/host.h"

namespace ffn::test {

struct WrongInput {
  std::string op;
  ErrorKind kind;
  std::vector<std::string> named;  // parts of the message
  std::function<void(Executor&)> run;
  bool dry_too = true;  // false: found by reading numbers, which a dry device has none of
};

// A leaf of ones.
inline Value v(Executor& ex, const Shape& shape, DType dtype = DType::f32) {
  const Tensor tensor = ex.allocate({shape, dtype});
  const bool plain = is_float(dtype) || dtype == DType::i32;
  if (!ex.dry() && plain) {
    set_host_values(tensor, std::vector<double>(static_cast<std::size_t>(shape.count()), 1));
  }
  return ex.leaf(tensor);
}

inline Tensor ids(Executor& ex, const std::vector<double>& values) {
  const Tensor tensor = ex.allocate({{static_cast<std::int64_t>(values.size())}, DType::i32});
  if (!ex.dry()) set_host_values(tensor, values);
  return tensor;
}

// Runs it and expects its error.
void expect_error(const WrongInput& wrong, const Device& device);

// Those of token_errors_test.cpp.
void add_tokens(std::vector<WrongInput>& all);
// Those of routing_errors_test.cpp.
void add_routing(std::vector<WrongInput>& all);
// Those of router_errors_test.cpp.
void add_router(std::vector<WrongInput>& all);

}  // namespace ffn::test
