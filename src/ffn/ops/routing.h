// The choice of experts and the index lists that dispatch rows to them.
//
// Indices have no gradient. Dispatch is gather_rows(x, token), then grouped_linear with offsets;
// combine is scale_rows by the gathered weights, then scatter_add_rows to token. No shape depends
// on data. On a dry device the lists have no values.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

struct ChooseOptions {
  std::int64_t k = 1;            // K experts for a row
  std::int64_t groups = 1;       // equal runs of experts …
  std::int64_t top_groups = 1;   // … of which the best are looked into
  std::int64_t group_terms = 1;  // a group's score is the sum of so many of its largest
};

struct Chosen {
  Tensor expert;  // i32 [N, K]
  Tensor place;   // i32 [N, K] where the score of the choice lies in scores: n·E + expert
};

// The K experts of the largest scores + bias in every row of scores [N, E], ties to the lower
// index, listed by falling sum; NaN counts as −∞. bias [1, E] in the dtype of the scores'
// statistics, or undefined. Shazeer et al. 2017; groups: DeepSeek-AI 2024 (V2: one term; V3: two),
// experts of other groups are not chosen.
// Errors: shape when scores are no matrix, bias is not [1, E] or N·E is more than i32 can count;
// config for K outside [1, E], groups that do not divide E, top_groups outside [1, groups],
// group_terms outside [1, E/groups], or fewer than K experts in the best groups; dtype.
Chosen choose_experts(Executor& ex, const Tensor& scores, const Tensor& bias,
                      const ChooseOptions& options);

// The same for a choice expert [N, K] made elsewhere: where its scores lie. Errors: shape; an index
// outside [0, E) that the host can read.
Chosen given_experts(Executor& ex, const Tensor& scores, const Tensor& expert);

// scores [N, E] at the chosen places → [N, K] of their dtype, without the bias that chose them.
//   gradient   dscores = dy at the chosen places, 0 elsewhere
//   saved      place
//   scratch    backward: scatter_add_rows_workspace(N·E, 1)
// Errors: shape when scores have a leading dimension, or the choices are not those of their rows.
Value chosen_scores(Executor& ex, Value scores, const Chosen& chosen);

// Where rows stand when they are sorted by expert.
struct Slots {
  Tensor order;    // i32 [R] slot n·K + k at position p, −1: none
  Tensor token;    // i32 [R] row n at position p, −1: none
  Tensor offsets;  // i32 [E+1] positions of expert e: [offsets[e], offsets[e+1])
};

// The slots of choices expert [N, K] by (expert, slot): R = N·K, none dropped. With capacity C > 0
// R = E·C: of every expert the first C slots, so that a row is only ever dropped for earlier ones
// (Fedus et al. 2021; GShard serves all first choices before the second ones, which in a causal
// model lets later tokens push earlier ones out).
// Errors: shape when the choices are no matrix, R is more than i32 can count, or an index that the
// host can read is outside [0, E); config when E < 1 or C < 0; dtype.
Slots sort_slots(Executor& ex, const Tensor& expert, std::int64_t experts,
                 std::int64_t capacity = 0);

// The reverse choice: R = E·S·C positions, C rows of each of S sequences for every expert, those of
// the largest scores [N, E] in its column, ties to the lower row, listed by falling score; NaN
// counts as −∞. `order` is the score's place n·E + e: weights are gather_rows of the scores as
// [N·E, 1]. Zhou et al. 2022 (expert choice).
// Errors: shape when scores are no matrix, rows are no multiple of sequences, or N·E is more than
// i32 can count; config when C is outside [1, rows of a sequence] (0 where there are no rows);
// dtype.
Slots choose_tokens(Executor& ex, const Tensor& scores, std::int64_t sequences,
                    std::int64_t capacity);

// i32 [E+1] 0, rows, 2·rows, …: of experts with equally many rows each. Errors: config.
Tensor equal_offsets(Executor& ex, std::int64_t experts, std::int64_t rows);

// [S, E] how many slots of choices expert [N, K] each of S sequences has at an expert, in `dtype`
// (f32, which counts to 2^24 without an error; f64, c128 on the reference).
// Errors: shape when the choices are no matrix, rows are no multiple of sequences, or an index that
// the host can read is outside [0, E); config when E < 1; dtype.
Tensor expert_load(Executor& ex, const Tensor& expert, std::int64_t experts, std::int64_t sequences,
                   DType dtype);

// [1, E]: bias [1, E] moved by ±rate towards balance: up for experts with less than the mean load
// [S, E], down for those with more. Both in the same dtype of statistics. Wang et al. 2024
// (auxiliary-loss-free load balancing).
// Errors: shape; config when rate < 0; dtype.
Tensor move_bias(Executor& ex, const Tensor& bias, const Tensor& load, float rate);

// Slots, and weights [N, K] = softmax over the chosen logits, in the logits' dtype, differentiable:
// choose_experts, softmax of chosen_scores, sort_slots (Mixtral: Jiang et al. 2024). Errors: those
// of its parts.
struct Routing {
  Value weights;
  Tensor expert;  // i32 [N, K]
  Tensor order, token, offsets;
};
Routing route_top_k(Executor& ex, Value logits, std::int64_t k);

}  // namespace ffn::inline v0
