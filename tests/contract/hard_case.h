// A hard case: a small model that breaks weak contracts of operations. Every case is run by
// contract_test.cpp on the dry, reference and cpu devices, storing and recomputing.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/autograd/initialize.h"
#include "ffn/autograd/parameters.h"
#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::contract {

class HardCase {
 public:
  virtual ~HardCase() = default;
  // Declares weights and states and gives them their first values. `compute` is the case's own
  // type, or f64 and c128 when its gradients are checked.
  virtual void build(Executor& ex, DType compute) = 0;
  // One forward pass to a [1, 1] loss.
  virtual Value loss(Executor& ex) = 0;
  // What follows backward in a step: an optimizer, where the case has one.
  virtual void update(Executor& ex) { static_cast<void>(ex); }
  // The type in which the case runs on the cpu.
  virtual DType compute() const { return DType::f32; }
  // Tensors other than gradients that a step leaves behind (states, weights, moments).
  virtual std::vector<Tensor> left_behind() { return {}; }

  ParameterSet parameters;

 protected:
  // A constant [rows, cols] of standard normals of the named stream, rounded to f32 so that every
  // device and dtype starts from the same numbers.
  static Tensor input(Executor& ex, std::string_view name, const Shape& shape, DType dtype);
  static Tensor indices(Executor& ex, const std::vector<int>& values);
  // Finalizes the parameters and fills them with 0.5·normal (rounded to bf16, exact in every type).
  void finalize(Executor& ex, DType compute);
};

std::unique_ptr<HardCase> ragged_experts();
std::unique_ptr<HardCase> kv_cache();
std::unique_ptr<HardCase> batch_norm_recompute();
std::unique_ptr<HardCase> tied_embedding();
std::unique_ptr<HardCase> lora_on_int4();
std::unique_ptr<HardCase> bf16_master();
std::unique_ptr<HardCase> mapped_packed();
std::unique_ptr<HardCase> tap_replaced();

}  // namespace ffn::contract
