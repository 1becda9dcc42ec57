// Which rows go to which experts, the index lists that follow from it, and what keeps the choice
// balanced. Scores and logits are f32 (f64, c128 on the reference) as statistics are, or bf16. No
// shape depends on data. S sequences of T = N/S rows each.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// Per row of scores [N, E] the K experts of the largest scores + bias, ties to the lower index,
// listed by falling sum; NaN counts as −∞. With groups > 1 the experts are that many equal runs in
// order; a group's score is the sum of its group_terms largest sums, and only experts of the
// top_groups best groups may be chosen, ties to the lower group.
struct ChooseExpertsArgs {
  ConstMatrix scores;
  ConstMatrix bias;  // [1, E]; absent: 0
  std::int64_t k = 1, groups = 1, top_groups = 1, group_terms = 1;
  // [N, K]; place = n·E + expert, where the chosen score lies in packed scores.
  std::int32_t *expert = nullptr, *place = nullptr;
  // [N, K]: the choice, when it was made elsewhere; may be expert. Absent: chosen here.
  const std::int32_t* given = nullptr;
};

// Slot s = n·K + k is row n's k-th choice. Capacity 0: the slots sorted by (expert, slot), order
// and token [N·K], token = order/K, expert e at the positions [offsets[e], offsets[e+1]). Capacity
// C > 0: expert e has the positions [e·C, (e+1)·C) with its first C slots in their order and −1
// where it has fewer: order and token [E·C], offsets[e] = e·C.
struct SortSlotsArgs {
  const std::int32_t* expert = nullptr;  // [rows, k]
  std::int64_t rows = 0, k = 1, experts = 1, capacity = 0;
  std::int32_t *order = nullptr, *token = nullptr;
  std::int32_t* offsets = nullptr;  // [experts + 1]
};

// Per expert e and sequence s the C rows of s with the largest scores [N, E] in column e, ties to
// the lower row, listed by falling score, NaN as −∞, at the positions (e·S + s)·C …; token [E·S·C]
// is the row, place = token·E + e its score's place in scores, offsets[e] = e·S·C.
struct ChooseTokensArgs {
  ConstMatrix scores;
  std::int64_t sequences = 1, capacity = 1;
  std::int32_t *token = nullptr, *place = nullptr;
  std::int32_t* offsets = nullptr;  // [E + 1]
};

// load[s, e] = how many of the slots of sequence s are expert e.
struct ExpertLoadArgs {
  const std::int32_t* expert = nullptr;  // [rows, k]
  std::int64_t rows = 0, k = 1;
  Matrix load;  // [S, E]
};

// y[e] = bias[e] + rate·sign(m − load of e in all sequences), m the mean of these over experts.
struct MoveBiasArgs {
  ConstMatrix bias, load;  // [1, E], [S, E]
  Matrix y;                // may be bias
  float rate = 0;
};

// loss = coefficient·(1/S)·Σ_s Σ_e f[s,e]·P[s,e]: f = load·E/(K·T), P the mean over the rows of s
// of p, which is scores, or with `normalised` scores/Σ_e scores. 0 without rows.
struct BalanceLossForwardArgs {
  ConstMatrix scores, load;  // [N, E], [S, E]
  std::int64_t k = 1;
  bool normalised = false;
  float coefficient = 0;
  Matrix loss;  // [1, 1]
};
// dscores (+)= dy + dloss/dscores, the load held fixed; dy absent: 0. dscores may be dy.
struct BalanceLossBackwardArgs {
  ConstMatrix scores, load, dy;
  std::int64_t k = 1;
  bool normalised = false;
  float coefficient = 0;
  GradMatrix dscores;
};

// loss = coefficient·(1/N)·Σ_n lse(logits[n,:])², lse = log Σ_e exp. 0 without rows.
struct ZLossForwardArgs {
  ConstMatrix logits;
  float coefficient = 0;
  Matrix loss;  // [1, 1]
};
// dlogits (+)= dy + 2·coefficient/N·lse·softmax(logits); dy absent: 0. dlogits may be dy.
struct ZLossBackwardArgs {
  ConstMatrix logits, dy;
  float coefficient = 0;
  GradMatrix dlogits;
};

// Z[s, e] = I(s, e)·Σ over the rows of s of weights[n, e]; loss = coefficient·var(Z)/mean(Z)², var
// over all S·E entries with S·E − 1 below (0 for a single entry), and 0 where the mean is 0. I = 1
// without types. With types [S]: 1 + delta where the expert is of the sequence's type, 1 − delta
// elsewhere; the first E/2 experts are of type 1, the others of type 0.
struct ImportanceLossForwardArgs {
  ConstMatrix weights;  // [N, E]
  const std::int32_t* types = nullptr;
  std::int64_t sequences = 1;
  float delta = 0, coefficient = 0;
  Matrix importance;  // Z [S, E]
  Matrix loss;        // [1, 1]
};
// dweights (+)= dy + dloss/dweights; dy absent: 0. dweights may be dy.
struct ImportanceLossBackwardArgs {
  ConstMatrix importance, dy;
  const std::int32_t* types = nullptr;
  float delta = 0, coefficient = 0;
  GradMatrix dweights;
};

// y[r, :] = scale·x[r, :]/(Σ_c x[r, c] + eps).
struct NormaliseRowsForwardArgs {
  ConstMatrix x;
  float scale = 1, eps = 0;
  Matrix y;
};
// dx (+)= (scale·dy − Σ_c dy·y)/(Σ_c x + eps). dx may be dy.
struct NormaliseRowsBackwardArgs {
  ConstMatrix x, y, dy;
  float scale = 1, eps = 0;
  GradMatrix dx;
};

}  // namespace ffn::inline v0::kernels
