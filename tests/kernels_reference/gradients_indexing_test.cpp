#include <gtest/gtest.h>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

// Row 1 named twice, row 3 never, one place left empty.
const std::vector<std::int32_t> kIndex = {1, 4, -1, 1, 0, 2};
constexpr std::int64_t kRows = 5;

TEST(IndexingGradient, GatherIsUndoneByScatter) {
  for (const std::int64_t cols : {1, 5}) {
    Pair pair;
    pair.inputs = {{kRows, cols}};
    pair.outputs = {{static_cast<std::int64_t>(kIndex.size()), cols}};
    pair.forward = [](Operands& in, Operands& out) {
      table.gather_rows(Launch{}, {in[0].view(), kIndex.data(), out[0].matrix(), false});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      Launch launch;
      table.scatter_add_rows(launch, {dout[0].view(), kIndex.data(), din[0].to, din[0].accumulate});
    };
    expect_pair(pair, 51);
  }
}

TEST(IndexingGradient, ScatterIsUndoneByGather) {
  for (const std::int64_t cols : {1, 5}) {
    Pair pair;
    pair.inputs = {{static_cast<std::int64_t>(kIndex.size()), cols}};
    pair.outputs = {{kRows, cols}};
    pair.forward = [](Operands& in, Operands& out) {
      Launch launch;
      table.scatter_add_rows(launch, {in[0].view(), kIndex.data(), out[0].matrix(), false});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      table.gather_rows(Launch{}, {dout[0].view(), kIndex.data(), din[0].to, din[0].accumulate});
    };
    expect_pair(pair, 52);
  }
}

}  // namespace
}  // namespace ffn::test
