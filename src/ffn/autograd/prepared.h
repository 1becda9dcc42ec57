// Prepared weights: a weight, or all weights of a layer, reordered for the kernels. Charged to the
// ledger (Tag::prepared), dropped when a parameter's version changes.
//
//   PreparedWeights prepared;
//   ex.set_prepared(&prepared);  // from here on, passes without a tape pack each layer once
#pragma once

#include <cstdint>
#include <deque>

#include "ffn/autograd/executor.h"
#include "ffn/autograd/parameters.h"
#include "ffn/kernels/product.h"

namespace ffn::inline v0 {

class PreparedWeights {
 public:
  // The packed form of `parameter` for products of `form` (nt or nn) with rows of type `x`, as a u8
  // tensor for linear(). Packs when there is none yet or the version changed. Bytes: packed_b_bytes
  // of the weight. A mapped weight is read piece by piece and its pages are given back as the
  // packing goes on (nt).
  const Tensor& packed(Executor& executor, const Parameter& parameter, kernels::ProductForm form,
                       DType x = DType::f32);
  // The layer that these parameters make, packed for dense_layer() and expert_layer() as a u8
  // tensor. Undefined where the device packs no layers. Bytes: packed_layer_bytes of its shape,
  // about 4 per weight, or 2 where the tiles multiply pairs of bf16.
  struct Layer {
    const Parameter* gate;  // null: none
    const Parameter *up, *down;
    std::int64_t experts = 1;
    DType x = DType::f32;  // of the rows that will meet it
  };
  Tensor packed_layer(Executor& executor, const Layer& layer);
  void drop() {
    entries_.clear();
    layers_.clear();
  }

 private:
  struct Entry {
    const Parameter* parameter;
    kernels::ProductForm form;
    DType x;
    std::uint64_t version;
    Tensor packed;
  };
  struct LayerEntry {
    const Parameter* up;
    DType x;
    std::uint64_t versions;  // of all its parameters, which only grow
    Tensor packed;
  };

  std::deque<Entry> entries_;
  std::deque<LayerEntry> layers_;
};

}  // namespace ffn::inline v0
