// What workloads of products share: the verified product as something to be measured.
#pragma once

#include <memory>
#include <string>

#include "ffn/bench/workload.h"

namespace ffn::inline v0 {

// One verified run of a product with run(), verify(name), moved_bytes() and verified().
template <class P>
Workload measured_product(const ProductCase& c, const std::string& name,
                          std::shared_ptr<P> product) {
  product->run();
  product->verify(name);
  return {
      .run = [product] { product->run(); },
      .flops = 2.0 * static_cast<double>(c.m) * static_cast<double>(c.n) * static_cast<double>(c.k),
      .moved_bytes = product->moved_bytes(),
      .cold = c.cold,
      .verified = product->verified()};
}

}  // namespace ffn::inline v0
