// What can be measured: a product, a feed-forward layer, a training step of a whole model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/kernels/product.h"
#include "ffn/ops/depthwise_conv.h"

namespace ffn::inline v0 {

// C = A·Bᵀ (nt), A·B (nn) or Aᵀ·B (tn), C [M, N], sums over K.
struct ProductCase {
  kernels::ProductForm form = kernels::ProductForm::nt;
  std::int64_t m = 1, n = 1, k = 1;
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  bool prepared = false;  // B packed beforehand; not for tn
  // Not 0: a product of integers, B of so many bits (8, 4) in such groups, packed beforehand; nt
  // only.
  int bits = 0;
  std::int64_t group = 32;
  bool cold = false;  // of integers: weights take turns, four times L3 of them
};

// forward: inference. backward: a forward pass that records, and the gradients of x and of all
// weights; never the backward half alone.
enum class Pass { forward, backward };
// Which experts the tokens go to: fixed from outside, every expert alike, or expert e as often as
// 1/(e + 1). none: the design has no choice to fix.
enum class RoutingShares { none, uniform, zipf };

struct LayerCase {
  std::string design;  // text of the registry
  std::int64_t width = 1, rows = 1;
  std::int64_t tokens = 0;  // of a sequence; 0: all rows are one, and each is for itself
  TokenGrid grid = {};      // of these tokens; height 0: none
  bool causal = false, bias = false;
  DType dtype = DType::f32;
  Pass pass = Pass::forward;
  MemoryMode memory = MemoryMode::store;
  RoutingShares routing = RoutingShares::none;
  bool prepared =
      false;  // forward only: weights packed beforehand, where the layer is one operation
  // Run after run takes other weights, so many that they do not fit into the caches.
  bool cold = false;
};

// One step of training: forward, backward, clipping, AdamW.
struct TrainCase {
  std::string model, design;                       // a preset; text of the registry
  std::int64_t image = 0, patch = 0, classes = 0;  // of pictures with 3 channels; 0: it reads text
  std::int64_t vocabulary = 0, context = 0;        // of text
  std::int64_t batch = 1;
  DType dtype = DType::f32;
  MemoryMode memory = MemoryMode::store;
};

struct BenchCase {
  std::string suite, name;  // the name is unique in its suite
  std::variant<ProductCase, LayerCase, TrainCase> work;
};

std::string_view to_string(Pass pass);
std::string_view kind_of(const BenchCase& c);  // "product", "layer", "train"
std::string shape_text(const BenchCase& c);    // "nt 512×1536×576", "glu(silu) at 576", "vit-nano"
std::int64_t rows_of(const BenchCase& c);      // M, N, or the batch
std::string dtype_text(const BenchCase& c);    // "f32", "f32·q8_0→f32"
std::string pass_text(const BenchCase& c);     // "forward", "backward, recompute", "step", ""
DType arithmetic_dtype(const BenchCase& c);    // of the rows that are multiplied

}  // namespace ffn::inline v0
