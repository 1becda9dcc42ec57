// The one interface of every feed-forward design.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/autograd/parameters.h"
#include "ffn/ops/depthwise_conv.h"

namespace ffn::inline v0 {

// Low-rank experts beside every frozen linear map: see lora-moe.
struct LoraSite {
  std::int64_t experts = 1, rank = 1;
  double alpha = 1;              // the experts' sum is multiplied by alpha/rank
  float balance = 0, delta = 0;  // of importance_loss()
  // Where each map notes the part that it is; null: nowhere.
  std::shared_ptr<std::vector<std::string>> attached = {};
};

// Where a design stands, given by the model around it.
struct FeedForwardSite {
  std::int64_t width = 0;   // D
  TokenGrid grid = {};      // of the tokens, for designs that mix neighbours; none: height 0
  std::int64_t tokens = 0;  // T of a sequence, at most; 0: the model does not say
  bool causal = false;      // a token must not see later ones
  bool bias = true;         // of the linear maps
  std::int64_t rank = 0;    // R: each linear map is a product of two of that rank; 0: whole ones
  // E: each linear map is one per expert, over rows that are sorted by expert; 0: one map.
  std::int64_t experts = 0;
  std::optional<LoraSite> lora = {};  // each linear map is frozen, with low-rank experts beside it
  // Checkpoint name of a part: "up" → "vit.encoder.layer.0.intermediate.dense".
  std::function<std::string(std::string_view)> name = [](std::string_view part) {
    return std::string(part);
  };
  // The same of expert e's part, as a checkpoint holds it; `name` is of all experts' as one matrix.
  std::function<std::string(std::string_view, std::int64_t)> expert_name = {};
  Init weight_init = {};   // of the linear maps' weights
  std::uint64_t seed = 0;  // of random numbers in training
};

// The rows that a layer is given: those of `sequences` sequences, one after another, or, where the
// layer is a set of experts, rows sorted by expert.
struct TokenRows {
  TokenRows(std::int64_t count)
      : sequences(count) {}  // NOLINT: a number of sequences is all most need

  std::int64_t sequences;
  Tensor expert_offsets = {};  // i32 [E+1]; at a site of experts only
  Tensor types = {};           // i32 [sequences], each 0 or 1, for designs that balance by them
};

// How the block around a layer treats it.
struct BlockRule {
  bool norm = true;       // the layer reads norm(h); false: h itself, and there is no such norm
  bool drop_path = true;  // stochastic depth may skip the layer
};

// What one layer costs. Elementwise work is counted apart, as operations on numbers.
struct FeedForwardCosts {
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;  // that one token meets
  std::int64_t frozen_parameters = 0;  // that training leaves as they are
  std::int64_t flops_per_token = 0;    // 2 × multiply-adds of products and convolutions
  std::int64_t elementwise_per_token = 0;
  std::int64_t hidden = 0;  // H: neurons, the columns of the down projection

  // Bytes read for a single token, N = 1, with weights of `dtype`.
  std::int64_t bytes_at_one_token(DType dtype) const {
    return dtype_bytes(dtype, active_parameters);
  }
};

class FeedForward {
 public:
  virtual ~FeedForward() = default;
  // x [N, D] → [N, D]. Errors: shape when the rows are not what a design that mixes tokens was made
  // for.
  virtual Value forward(Executor& ex, Value x, const TokenRows& rows) const = 0;
  virtual FeedForwardCosts costs() const = 0;
  // Whether a token's result depends on others': such a layer cannot go on token by token.
  virtual bool mixes_tokens() const { return false; }
  // Places that a run may read or replace (Executor::taps()), in order. "neuron" is the value that
  // multiplies a column of the down projection.
  virtual std::span<const std::string_view> taps() const = 0;
};

}  // namespace ffn::inline v0
