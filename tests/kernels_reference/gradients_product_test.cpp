// The three product forms are each other's backward, so these checks tie all of them together.
#include <gtest/gtest.h>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

struct Sizes {
  std::int64_t m, n, k;
};
constexpr Sizes kSizes[] = {{1, 1, 1}, {1, 7, 3}, {5, 1, 4}, {3, 4, 1}, {5, 3, 17}, {4, 9, 6}};

void product(ProductForm form, ConstMatrix a, ConstMatrix b, const GradMatrix& c,
             ConstMatrix bias = {}) {
  if (c.to.data == nullptr) return;
  table.product(Launch{}, {form, a, b, c.to, bias, c.accumulate, nullptr});
}

TEST(ProductGradient, NtWithBias) {
  for (const auto& [m, n, k] : kSizes) {
    Pair pair;
    pair.inputs = {{m, k}, {n, k}, {1, n}};
    pair.outputs = {{m, n}};
    pair.forward = [](Operands& in, Operands& out) {
      product(ProductForm::nt, in[0].view(), in[1].view(), {out[0].matrix()}, in[2].view());
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      product(ProductForm::nn, dout[0].view(), in[1].view(), din[0]);
      product(ProductForm::tn, dout[0].view(), in[0].view(), din[1]);
      if (din[2].to.data) {
        table.row_sum(Launch{}, {dout[0].view(), din[2].to, din[2].accumulate});
      }
    };
    expect_pair(pair, 21);
  }
}

TEST(ProductGradient, Nn) {
  for (const auto& [m, n, k] : kSizes) {
    Pair pair;
    pair.inputs = {{m, k}, {k, n}};
    pair.outputs = {{m, n}};
    pair.forward = [](Operands& in, Operands& out) {
      product(ProductForm::nn, in[0].view(), in[1].view(), {out[0].matrix()});
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      product(ProductForm::nt, dout[0].view(), in[1].view(), din[0]);
      product(ProductForm::tn, in[0].view(), dout[0].view(), din[1]);
    };
    expect_pair(pair, 22);
  }
}

TEST(ProductGradient, Tn) {
  for (const auto& [m, n, k] : kSizes) {
    Pair pair;
    pair.inputs = {{k, m}, {k, n}};
    pair.outputs = {{m, n}};
    pair.forward = [](Operands& in, Operands& out) {
      product(ProductForm::tn, in[0].view(), in[1].view(), {out[0].matrix()});
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      product(ProductForm::nt, in[1].view(), dout[0].view(), din[0]);
      product(ProductForm::nn, in[0].view(), dout[0].view(), din[1]);
    };
    expect_pair(pair, 23);
  }
}

// Three experts; the middle one has no rows.
constexpr std::int32_t kOffsets[] = {0, 2, 2, 7};
constexpr std::int64_t kExperts = 3, kRows = 7;

void grouped(ProductForm form, ConstMatrix a, ConstMatrix b, const GradMatrix& c) {
  if (c.to.data == nullptr) return;
  table.grouped_product(Launch{}, {form, a, b, c.to, kOffsets, kExperts, c.accumulate});
}

TEST(GroupedProductGradient, Nt) {
  const std::int64_t n = 5, k = 3;
  Pair pair;
  pair.inputs = {{kRows, k}, {kExperts * n, k}};
  pair.outputs = {{kRows, n}};
  pair.forward = [](Operands& in, Operands& out) {
    grouped(ProductForm::nt, in[0].view(), in[1].view(), {out[0].matrix()});
  };
  pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
    grouped(ProductForm::nn, dout[0].view(), in[1].view(), din[0]);
    grouped(ProductForm::tn, dout[0].view(), in[0].view(), din[1]);
  };
  expect_pair(pair, 24);
}

TEST(GroupedProductGradient, Nn) {
  const std::int64_t n = 5, k = 3;
  Pair pair;
  pair.inputs = {{kRows, k}, {kExperts * k, n}};
  pair.outputs = {{kRows, n}};
  pair.forward = [](Operands& in, Operands& out) {
    grouped(ProductForm::nn, in[0].view(), in[1].view(), {out[0].matrix()});
  };
  pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
    grouped(ProductForm::nt, dout[0].view(), in[1].view(), din[0]);
    grouped(ProductForm::tn, in[0].view(), dout[0].view(), din[1]);
  };
  expect_pair(pair, 25);
}

TEST(GroupedProductGradient, Tn) {
  const std::int64_t m = 4, n = 5;
  Pair pair;
  pair.inputs = {{kRows, m}, {kRows, n}};
  pair.outputs = {{kExperts * m, n}};
  pair.forward = [](Operands& in, Operands& out) {
    grouped(ProductForm::tn, in[0].view(), in[1].view(), {out[0].matrix()});
  };
  pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
    grouped(ProductForm::nt, in[1].view(), dout[0].view(), din[0]);
    grouped(ProductForm::nn, in[0].view(), dout[0].view(), din[1]);
  };
  expect_pair(pair, 26);
}

TEST(GroupedProductGradient, Bias) {
  const std::int64_t n = 5, k = 3;
  Pair pair;
  pair.inputs = {{kRows, k}, {kExperts * n, k}, {kExperts, n}};
  pair.outputs = {{kRows, n}};
  pair.forward = [](Operands& in, Operands& out) {
    table.grouped_product(Launch{}, {ProductForm::nt, in[0].view(), in[1].view(), out[0].matrix(),
                                     kOffsets, kExperts, false, in[2].view()});
  };
  pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
    grouped(ProductForm::nn, dout[0].view(), in[1].view(), din[0]);
    grouped(ProductForm::tn, dout[0].view(), in[0].view(), din[1]);
    if (din[2].to.data == nullptr) return;
    table.grouped_row_sum(Launch{}, {dout[0].view(), kOffsets, din[2].to, din[2].accumulate});
  };
  expect_pair(pair, 28);
}

// Its backward gives every row the gradient of its expert.
TEST(GroupedRowSumGradient, Experts) {
  static constexpr std::int32_t kExpertOf[kRows] = {0, 0, 2, 2, 2, 2, 2};
  for (const std::int64_t cols : {1, 5}) {
    Pair pair;
    pair.inputs = {{kRows, cols}};
    pair.outputs = {{kExperts, cols}};
    pair.forward = [](Operands& in, Operands& out) {
      table.grouped_row_sum(Launch{}, {in[0].view(), kOffsets, out[0].matrix(), false});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      table.gather_rows(Launch{}, {dout[0].view(), kExpertOf, din[0].to, din[0].accumulate});
    };
    expect_pair(pair, 29);
  }
}

// y = Σ over the repeats of x; its backward repeats dy, which is an addition to zeros.
TEST(RowSumGradient, Periods) {
  struct Case {
    std::int64_t repeats, period, cols;
  };
  for (const Case& c : {Case{1, 1, 1}, Case{6, 1, 5}, Case{3, 4, 1}, Case{3, 2, 7}}) {
    Pair pair;
    pair.inputs = {{c.repeats * c.period, c.cols}};
    pair.outputs = {{c.period, c.cols}};
    pair.forward = [](Operands& in, Operands& out) {
      table.row_sum(Launch{}, {in[0].view(), out[0].matrix(), false});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      if (!din[0].accumulate) table.fill(Launch{}, {din[0].to, 0});
      table.add_forward(Launch{}, {din[0].to, dout[0].view(), din[0].to});
    };
    expect_pair(pair, 27);
  }
}

}  // namespace
}  // namespace ffn::test
