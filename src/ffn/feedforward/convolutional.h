// What designs with a convolution over the grid of tokens share: 1×1 maps around a depthwise one,
// each with its batch norm, and the class tokens beside the grid.
#pragma once

#include <optional>
#include <string>

#include "ffn/feedforward/dense.h"
#include "ffn/layers/batch_norm_layer.h"

namespace ffn::inline v0 {

// "k", an odd side up to 31; 3 when absent. Errors: config.
std::int64_t kernel_side(const FeedForwardSpec& spec);
// "norm": true for batch, the default, false for none. Errors: config.
bool has_batch_norm(const FeedForwardSpec& spec);

// The depthwise convolution "dwconv" over a site's grid, weight [H, k²] starting normal with
// standard deviation √(2/k²) (PVT v2's), bias [H] at 0.
class DepthwiseLayer {
 public:
  struct Sizes {
    std::int64_t channels = 0, side = 3;
    bool bias = true;
  };
  DepthwiseLayer(ParameterSet& parameters, const FeedForwardSite& site, const Sizes& sizes);

  // x: the rows of `grid`, with or without those before it.
  Value forward(Executor& ex, Value x, const TokenGrid& grid) const;

 private:
  Parameter* weight_;
  Parameter* bias_;  // null: none
};

struct ConvolutionalSizes {
  std::int64_t width = 0, hidden = 0, side = 3;
  bool batch_norm = true;
  bool map_bias = true;     // of the 1×1 maps
  bool kernel_bias = true;  // of the depthwise convolution
};

// Parameters 2·D·H + k²·H (+ H + D, + H biases; + 4·H + 2·D norms), flops per place of the grid
// 4·D·H + 2·k²·H, elementwise 2·H activations (+ 2·H + D norms).
FeedForwardCosts convolutional_costs(const ConvolutionalSizes& sizes);

// up [H, D] → dwconv k×k → down [D, H] on the rows of the grid alone, and, behind each where asked
// for, a batch norm over all rows: that of map "m" is called "m_norm", a rule that
// fold_batch_norm.h relies on.
class ConvolutionalMaps {
 public:
  ConvolutionalMaps(ParameterSet& parameters, const FeedForwardSite& site,
                    const ConvolutionalSizes& sizes);

  Value up(Executor& ex, Value x) const;
  Value convolve(Executor& ex, Value x) const;
  Value down(Executor& ex, Value x) const;

 private:
  static Value normed(Executor& ex, const std::optional<BatchNormLayer>& norm, Value x);

  TokenGrid grid_;
  LinearMap up_, down_;
  DepthwiseLayer kernel_;
  std::optional<BatchNormLayer> up_norm_, kernel_norm_, down_norm_;
};

// The rows of the grid and those before it (class tokens), apart and together again.
class GridRows {
 public:
  explicit GridRows(const TokenGrid& grid) : grid_(grid) {}

  std::int64_t places() const { return grid_.height * grid_.width; }
  std::int64_t prefix() const { return grid_.prefix; }
  // x [B·(prefix + places), C] → [B·places, C]; x itself without a prefix.
  Value places_of(Executor& ex, Value x, std::int64_t sequences) const;
  // → [B·prefix, C]; undefined without a prefix.
  Value prefix_of(Executor& ex, Value x, std::int64_t sequences) const;
  // `prefix` as prefix_of() gave it before the rows of the grid.
  Value join(Executor& ex, Value prefix, Value places, std::int64_t sequences) const;
  // Zeros before the rows of the grid.
  Value pad(Executor& ex, Value places, std::int64_t sequences) const;

 private:
  TokenGrid grid_;
};

// One number per sequence and channel, from the mean over the grid: outer(W_2·inner(W_1·mean(x) +
// b_1) + b_2), x [B·places, C] → [B, C]; W_1 "squeeze" [R, C], W_2 "excite" [C, R], always with
// biases. Hu et al. 2018. Parameters 2·C·R + C + R, flops per sequence 4·C·R.
class SequenceGate {
 public:
  struct Sizes {
    std::int64_t channels = 0, reduced = 0;
    std::int64_t parameters() const { return 2 * channels * reduced + channels + reduced; }
    std::int64_t flops() const { return 4 * channels * reduced; }
  };
  SequenceGate(ParameterSet& parameters, const FeedForwardSite& site, const Sizes& sizes);

  Value forward(Executor& ex, Value x, std::int64_t sequences, Activation inner,
                Activation outer) const;

 private:
  LinearMap squeeze_, excite_;
};

}  // namespace ffn::inline v0
