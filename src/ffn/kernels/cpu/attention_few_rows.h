// Attention of few query rows, as of one token that follows a cache: keys and values are read once,
// from where they stand. Panels of them would cost more than the products that they speed up, and
// as much memory again as the cache of a layer.
#pragma once

#include "ffn/kernels/cpu/attention_block.h"
#include "ffn/kernels/cpu/product_few_rows.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// True where queries follow a cache (there are fewer of them than of keys), every key head has at
// most kFewRows rows of them and nothing goes back: backward makes the scores again from panels,
// and with other sums exp(s − lse) of a lone key would not be 1. Whole sequences keep to panels, so
// that a segment which is computed again gives the bits of one that is kept. Depends on the shape
// alone, like the workspace.
inline bool has_few_rows(const AttentionShape& shape) {
  return !shape.lse && shape.queries < shape.keys &&
         shape.queries * (shape.heads / shape.kv_heads) <= kFewRows;
}

// c [rows, N] = a [rows, K] · the rows of b, transposed (nt) or as they stand (nn).
inline void multiply_few(ProductForm form, const ConstMatrix& a, const ConstMatrix& b, float* c,
                         std::int64_t c_ld) {
  const std::int64_t N = form == ProductForm::nt ? b.rows : b.cols;
  const Problem problem{
      form,    a,    {c, DType::f32, a.rows, N, c_ld}, a.rows, N, a.cols, product_piece(a.cols),
      nullptr, false};
  multiply_few_rows(problem, b, few_rows_a(problem, nullptr), {0, N});
}

// block_scores() and sum_over_keys() of attention_block.h, from the rows of one key head.
inline void few_scores(const float* q, std::int64_t q_ld, const Block& block, Range keys,
                       const ConstMatrix& k, float* scores, std::int64_t ld) {
  multiply_few(ProductForm::nt, {q, DType::f32, block.rows, block.width, q_ld},
               rows_of(k, keys.begin, keys.end - keys.begin), scores + keys.begin, ld);
}
inline void few_sums(const float* weights, std::int64_t ld, const Block& block, Range keys,
                     const ConstMatrix& v, float* out, std::int64_t out_ld) {
  const std::int64_t count = keys.end - keys.begin;
  multiply_few(ProductForm::nn, {weights + keys.begin, DType::f32, block.rows, count, ld},
               rows_of(v, keys.begin, count), out, out_ld);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
