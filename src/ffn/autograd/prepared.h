// Prepared weights: a weight reordered for the product kernel. Owned by the model, charged to the
// ledger (Tag::prepared), dropped when the parameter's version changes.
#pragma once

#include <cstdint>
#include <deque>

#include "ffn/autograd/executor.h"
#include "ffn/autograd/parameters.h"
#include "ffn/kernels/product.h"

namespace ffn::inline v0 {

class PreparedWeights {
 public:
  // The packed form of `parameter` for products of `form` (nt or nn), as a u8 tensor for linear().
  // Packs when there is none yet or the version changed. Bytes: packed_b_bytes(form, rows, cols).
  // A mapped weight is read piece by piece and its pages are given back as the packing goes on
  // (nt).
  const Tensor& packed(Executor& executor, const Parameter& parameter, kernels::ProductForm form);
  void drop() { entries_.clear(); }

 private:
  struct Entry {
    const Parameter* parameter;
    kernels::ProductForm form;
    std::uint64_t version;
    Tensor packed;
  };

  std::deque<Entry> entries_;
};

}  // namespace ffn::inline v0
