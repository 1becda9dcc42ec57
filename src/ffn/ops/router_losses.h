// Auxiliary losses of a router. Each passes its input through unchanged and adds the gradient of
// its own loss to it in backward, as if that loss were added to the one that backward starts from
// with seed 1: no plumbing to the end of the model, and a recomputed segment stays closed.
// Errors of all: shape when the input is no [N, E] with E ≥ 1; config when the coefficient is
// negative; dtype.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

struct WithLoss {
  Value value;  // the input, a view of it
  Tensor loss;  // [1, 1] in the input's dtype; of no gradient
};

// loss = coefficient·(1/S)·Σ_s Σ_e f·P over S sequences of T rows: f = load·E/(K·T), the part of
// the choices that went to expert e times E, which has no gradient; P the mean of p over the rows
// of s; p = scores, or scores/Σ_e scores with `normalised` (sigmoid scores). scores [N, E], load
// [S, E] of expert_load(). At perfect balance the loss is the coefficient. S = 1: over the batch.
//   saved      scores, load
// Fedus et al. 2021 (K = 1); Dai et al. 2024 (DeepSeekMoE); Mixtral's is K times it.
// Errors: shape when load does not fit or N is no multiple of S; config when k is outside [1, E];
// dtype when load is not of the statistics' dtype.
WithLoss balance_loss(Executor& ex, Value scores, const Tensor& load, std::int64_t k,
                      bool normalised, float coefficient);

// loss = coefficient·mean over the rows of lse(logits)². Saves logits. Zoph et al. 2022 (ST-MoE).
WithLoss z_loss(Executor& ex, Value logits, float coefficient);

// Z[s, e] = I(s, e)·Σ over the rows of sequence s of weights[n, e]; loss = coefficient·var(Z)/
// mean(Z)² with the unbiased variance over all S·E entries. I = 1 when `types` is undefined; with
// types i32 [S] it is 1 + delta for experts of the sequence's type (1: the first half, 0: the rest)
// and 1 − delta for the others. Keeps Z [S, E]. Dou et al. 2023 (LoRAMoE), as its code has it.
// Errors: shape when N is no multiple of sequences, or types are not one 0 or 1 for each of them;
// config when delta is outside [0, 1]; dtype.
WithLoss importance_loss(Executor& ex, Value weights, const Tensor& types, std::int64_t sequences,
                         float delta, float coefficient);

}  // namespace ffn::inline v0
