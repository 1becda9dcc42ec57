#include "ffn/ops/fused/dense_layer_tiles.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "ffn/base/faults.h"
#include "ffn/base/ledger.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0::op_detail {
namespace {

using kernels::ConstMatrix;
using kernels::GradMatrix;
using kernels::KernelTable;
using kernels::LaunchContext;
using kernels::Matrix;
using kernels::ProductForm;
using kernels::ProductShape;

// Three f32 tiles of this size are 9 MiB: they stay in the last-level cache between the products
// that write and read them, and each tile is enough work for every thread.
constexpr std::int64_t kTileRows = 2048, kTileHidden = 384;
// So few rows at the end join the block before: products of few rows add up in another order.
constexpr std::int64_t kLeastRows = 32;

// A multiple of `piece`, at most about `target`, at most `size`.
std::int64_t cut(std::int64_t size, std::int64_t piece, std::int64_t target) {
  return std::min(size, std::max<std::int64_t>(target / piece, 1) * piece);
}

struct Span {
  std::int64_t begin, count;
};

// Rows and columns of an operand; absent ones stay absent, and no rows keep their width.
template <class M>
M part(const M& whole, Span rows, Span cols) {
  if (whole.data == nullptr && whole.cols == 0) return {};
  M cut_out = whole;
  const std::int64_t first = dtype_bytes(whole.dtype, rows.begin * whole.ld + cols.begin);
  using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(whole.data)>>,
                                  const std::byte, std::byte>;
  if (whole.data != nullptr) cut_out.data = static_cast<Byte*>(whole.data) + first;
  cut_out.rows = rows.count;
  cut_out.cols = cols.count;
  return cut_out;
}
template <class M>
M rows_of(const M& whole, Span rows) {
  return part(whole, rows, {0, whole.cols});
}
template <class M>
M cols_of(const M& whole, Span cols) {
  return part(whole, {0, whole.rows}, cols);
}
GradMatrix rows_of(const GradMatrix& whole, Span rows) {
  return {rows_of(whole.to, rows), whole.accumulate};
}
GradMatrix cols_of(const GradMatrix& whole, Span cols) {
  return {cols_of(whole.to, cols), whole.accumulate};
}

// The tiles of one call, of x's type: what is computed again has the bits of what is stored.
// Results lie over operands, `neuron` over `pre` and `dup` over `up`, unless those are kept
// elsewhere; `dpre` over `dneuron` always.
struct Tiles {
  Matrix pre, up, neuron, dneuron, dup;
};

// Takes them from the workspace, or, given none, only counts.
class TileCutter {
 public:
  TileCutter(const DenseLayerPlan& plan, Workspace* workspace)
      : plan_(plan), workspace_(workspace) {}

  Tiles forward() {
    Tiles tiles = recomputed();
    tiles.neuron = over(tiles.pre);
    return tiles;
  }
  Tiles backward() {
    Tiles tiles = forward();
    tiles.dneuron = take(plan_.x, plan_.hidden);
    if (plan_.gated) tiles.dup = over(tiles.up);
    return tiles;
  }
  // Sums of rows of D values whose own type is too narrow to add up in.
  Matrix sums() { return plan_.x == DType::bf16 ? take(DType::f32, plan_.D) : Matrix{}; }
  std::int64_t bytes() const { return bytes_; }

 private:
  Tiles recomputed() {
    Tiles tiles;
    if (plan_.keeps_hidden()) return tiles;
    tiles.pre = take(plan_.x, plan_.hidden);
    if (plan_.gated) tiles.up = take(plan_.x, plan_.hidden);
    return tiles;
  }
  Matrix over(const Matrix& tile) {
    return plan_.keeps_hidden() ? take(plan_.x, plan_.hidden) : tile;
  }
  Matrix take(DType dtype, std::int64_t cols) {
    const TensorSpec spec{{plan_.most_rows(), cols}, dtype};
    bytes_ += charged_bytes(spec.bytes());
    if (workspace_ != nullptr) return workspace_->take(spec);
    return {nullptr, dtype, spec.rows(), cols, cols};
  }

  const DenseLayerPlan& plan_;
  Workspace* workspace_;
  std::int64_t bytes_ = 0;
};

// The part of a tile that a block of rows and a strip of hidden units fill.
Matrix fill_of(const Matrix& tile, Span rows, Span hidden) {
  return part(tile, {0, rows.count}, {0, hidden.count});
}

template <class Body>
void for_each_block(const DenseLayerPlan& plan, const Body& body) {
  std::int64_t begin = 0;
  do {  // no rows are one empty block, which still writes the gradients of weights
    const std::int64_t left = plan.N - begin;
    const Span rows{begin, left <= plan.most_rows() ? left : plan.rows};
    body(rows);
    begin += rows.count;
  } while (begin < plan.N);
}
template <class Body>
void for_each_strip(const DenseLayerPlan& plan, const Body& body) {
  for (std::int64_t begin = 0; begin < plan.H; begin += plan.hidden)
    body(Span{begin, std::min(plan.hidden, plan.H - begin)});
}

// The most workspace that products of any tile take: shapes(rows, hidden) lists them.
template <class Shapes>
std::int64_t product_scratch(const DenseLayerPlan& plan, const OpContext& context,
                             const Shapes& shapes) {
  std::int64_t most = 0;
  for_each_block(plan, [&](Span rows) {
    for_each_strip(plan, [&](Span hidden) {
      for (const ProductShape& shape : shapes(rows.count, hidden.count))
        most = std::max(most, context.kernels->product_workspace(shape, context.threads));
    });
  });
  return most;
}

// What both directions do with one block of rows and one strip of hidden units.
class Passes {
 public:
  Passes(const DenseLayerPlan& plan, const DenseLayerOperands& operands, const KernelTable& kernels,
         const LaunchContext& launch)
      : plan_(plan), of_(operands), kernels_(kernels), launch_(launch) {}

  // Where the values before the activation of a tile stand: in what store keeps, or in a tile.
  Matrix stored(const Matrix& whole, const Matrix& tile, Span rows, Span hidden) const {
    return plan_.keeps_hidden() ? part(whole, rows, hidden) : fill_of(tile, rows, hidden);
  }
  void map_in(Span rows, Span hidden, const Matrix& pre, const Matrix& up) const {
    const ConstMatrix x = rows_of(of_.x, rows);
    const auto map = [&](const ConstMatrix& weight, const ConstMatrix& bias, const Matrix& to) {
      kernels_.product(launch_, {ProductForm::nt, x, rows_of(weight, hidden), to,
                                 cols_of(bias, hidden), false, nullptr});
    };
    if (plan_.gated) map(of_.gate, of_.gate_bias, pre);
    map(of_.up, of_.up_bias, plan_.gated ? up : pre);
  }
  // C (+)= product over rows or hidden units, in the pieces of the whole sum.
  void add_product(ProductForm form, const ConstMatrix& a, const ConstMatrix& b, const Matrix& c,
                   bool accumulate, std::int64_t piece, const ConstMatrix& bias = {}) const {
    kernels_.product(launch_, {form, a, b, c, bias, accumulate, nullptr, piece});
  }
  void add_rows(const ConstMatrix& x, const GradMatrix& to, bool accumulate) const {
    if (to.to.data != nullptr) kernels_.row_sum(launch_, {x, to.to, accumulate});
  }
  void copy(const ConstMatrix& from, const Matrix& to, bool accumulate) const {
    kernels_.copy(launch_, {from, to, 1, accumulate});
  }

  const DenseLayerPlan& plan() const { return plan_; }
  const DenseLayerOperands& operands() const { return of_; }
  const KernelTable& kernels() const { return kernels_; }
  const LaunchContext& launch() const { return launch_; }

 private:
  const DenseLayerPlan& plan_;
  const DenseLayerOperands& of_;
  const KernelTable& kernels_;
  LaunchContext launch_;
};

// d of the hidden layer in one tile: neuron, dpre (over dneuron) and dup.
void run_neurons_backward(const Passes& passes, const ConstMatrix& dy, Span rows, Span hidden,
                          const Tiles& tiles) {
  const DenseLayerOperands& of = passes.operands();
  const Matrix pre = passes.stored(of.pre, tiles.pre, rows, hidden);
  const Matrix up = passes.stored(of.up_value, tiles.up, rows, hidden);
  if (!passes.plan().keeps_hidden()) passes.map_in(rows, hidden, pre, up);
  const Matrix neuron = fill_of(tiles.neuron, rows, hidden);
  const Matrix dneuron = fill_of(tiles.dneuron, rows, hidden);
  passes.add_product(ProductForm::nn, dy, cols_of(of.down, hidden), dneuron, false, 0);
  passes.kernels().neuron_backward(passes.launch(),
                                   {of.activation, of.beta, pre, up, dneuron, neuron, dneuron,
                                    fill_of(tiles.dup, rows, hidden)});
}

// The gradients of one tile's weights, and its share of dx in `dx`.
void add_gradients(const Passes& passes, const DenseLayerGradients& gradients,
                   const ConstMatrix& dy, Span rows, Span hidden, const Tiles& tiles,
                   const GradMatrix& dx) {
  const DenseLayerPlan& plan = passes.plan();
  const DenseLayerOperands& of = passes.operands();
  const ConstMatrix x = rows_of(of.x, rows), dpre = fill_of(tiles.dneuron, rows, hidden);
  const bool later = rows.begin > 0 && !fault(410);
  const auto add_weight = [&](const ConstMatrix& a, const ConstMatrix& b, const GradMatrix& to) {
    if (to.to.data != nullptr)
      passes.add_product(ProductForm::tn, a, b, to.to, to.accumulate || later, plan.row_piece);
  };
  bool started = hidden.begin > 0;
  const auto add_map = [&](const ConstMatrix& d, const ConstMatrix& weight, const GradMatrix& to,
                           const GradMatrix& bias) {
    add_weight(d, x, rows_of(to, hidden));
    passes.add_rows(d, cols_of(bias, hidden), bias.accumulate || later);
    if (dx.to.data == nullptr) return;
    passes.add_product(ProductForm::nn, d, rows_of(weight, hidden), dx.to, dx.accumulate || started,
                       plan.hidden_piece);
    started = true;
  };
  add_weight(dy, fill_of(tiles.neuron, rows, hidden), cols_of(gradients.down, hidden));
  if (plan.gated) add_map(fill_of(tiles.dup, rows, hidden), of.up, gradients.up, gradients.up_bias);
  add_map(dpre, plan.gated ? of.gate : of.up, plan.gated ? gradients.gate : gradients.up,
          plan.gated ? gradients.gate_bias : gradients.up_bias);
}

}  // namespace

std::int64_t DenseLayerPlan::most_rows() const { return std::min(N, rows + kLeastRows); }

DenseLayerPlan plan_dense_layer(const TensorSpec& x, const TensorSpec& up, bool gated,
                                HiddenMemory memory, const KernelTable& kernels) {
  DenseLayerPlan plan{x.rows(), x.cols(), up.rows(), gated,
                      memory,   x.dtype,  up.dtype,  gradient_dtype_of(up)};
  plan.row_piece = kernels.product_piece(plan.N);
  plan.hidden_piece = kernels.product_piece(plan.H);
  plan.rows = cut(plan.N, plan.row_piece, kTileRows);
  plan.hidden = cut(plan.H, plan.hidden_piece, kTileHidden);
  return plan;
}

void run_dense_layer_forward(const DenseLayerPlan& plan, const DenseLayerOperands& of,
                             const Matrix& y, const KernelTable& kernels,
                             const LaunchContext& launch) {
  Workspace workspace(launch);
  TileCutter cutter(plan, &workspace);
  const Tiles tiles = cutter.forward();
  const Matrix sums = cutter.sums();
  const Passes passes(plan, of, kernels, workspace.rest());
  for_each_block(plan, [&](Span rows) {
    const Matrix to = rows_of(y, rows);
    const Matrix sum = sums.data == nullptr ? to : rows_of(sums, {0, rows.count});
    for_each_strip(plan, [&](Span hidden) {
      const Matrix pre = passes.stored(of.pre, tiles.pre, rows, hidden);
      const Matrix up = passes.stored(of.up_value, tiles.up, rows, hidden);
      const Matrix neuron = fill_of(tiles.neuron, rows, hidden);
      passes.map_in(rows, hidden, pre, up);
      kernels.neuron_forward(passes.launch(), {of.activation, of.beta, pre, up, neuron});
      const bool last = hidden.begin + hidden.count == plan.H || fault(411);
      passes.add_product(ProductForm::nt, neuron, cols_of(of.down, hidden), sum, hidden.begin > 0,
                         plan.hidden_piece, last ? of.down_bias : ConstMatrix{});
    });
    if (sums.data != nullptr) passes.copy(sum, to, false);
  });
}

std::int64_t dense_layer_forward_scratch(const DenseLayerPlan& plan, const OpContext& context) {
  TileCutter cutter(plan, nullptr);
  cutter.forward();
  cutter.sums();
  const auto shapes = [&](std::int64_t R, std::int64_t T) {
    return std::array{ProductShape{ProductForm::nt, R, T, plan.D, plan.x, plan.weights, plan.x},
                      ProductShape{ProductForm::nt, R, plan.D, T, plan.x, plan.weights, plan.sums(),
                                   plan.hidden_piece}};
  };
  return cutter.bytes() + product_scratch(plan, context, shapes);
}

void run_dense_layer_backward(const DenseLayerPlan& plan, const DenseLayerOperands& of,
                              const ConstMatrix& dy, const DenseLayerGradients& gradients,
                              const KernelTable& kernels, const LaunchContext& launch) {
  Workspace workspace(launch);
  TileCutter cutter(plan, &workspace);
  const Tiles tiles = cutter.backward();
  const bool wants_x = gradients.x.to.data != nullptr;
  const Matrix sums = wants_x ? cutter.sums() : Matrix{};
  const Passes passes(plan, of, kernels, workspace.rest());
  passes.add_rows(dy, gradients.down_bias, gradients.down_bias.accumulate);
  for_each_block(plan, [&](Span rows) {
    const GradMatrix to = rows_of(gradients.x, rows);
    const GradMatrix dx =
        sums.data == nullptr ? to : GradMatrix{rows_of(sums, {0, rows.count}), false};
    const ConstMatrix dy_rows = rows_of(dy, rows);
    for_each_strip(plan, [&](Span hidden) {
      run_neurons_backward(passes, dy_rows, rows, hidden, tiles);
      add_gradients(passes, gradients, dy_rows, rows, hidden, tiles, dx);
    });
    if (sums.data != nullptr) passes.copy(dx.to, to.to, to.accumulate);
  });
}

std::int64_t dense_layer_backward_scratch(const DenseLayerPlan& plan, const OpContext& context) {
  TileCutter cutter(plan, nullptr);
  cutter.backward();
  cutter.sums();
  const std::int64_t D = plan.D;
  const auto shapes = [&](std::int64_t R, std::int64_t T) {
    return std::array{
        ProductShape{ProductForm::nt, R, T, D, plan.x, plan.weights, plan.x},
        ProductShape{ProductForm::nn, R, T, D, plan.x, plan.weights, plan.x},
        ProductShape{ProductForm::tn, D, T, R, plan.x, plan.x, plan.dweights, plan.row_piece},
        ProductShape{ProductForm::tn, T, D, R, plan.x, plan.x, plan.dweights, plan.row_piece},
        ProductShape{ProductForm::nn, R, D, T, plan.x, plan.weights, plan.sums(),
                     plan.hidden_piece}};
  };
  const std::int64_t sums = context.kernels->row_sum_workspace(std::max(plan.N, plan.most_rows()),
                                                               std::max(D, plan.hidden), 1);
  return cutter.bytes() + std::max(sums, product_scratch(plan, context, shapes));
}

}  // namespace ffn::inline v0::op_detail
