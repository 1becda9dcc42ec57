// From measured runs to what they show.
#pragma once

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// Fills result.pairs (all first < second) and result.verdict from the runs and the margin.
//
// Basis of a pair. `same` when both have one canonical design and one learning rate: the runs are
// one and the same, the difference is exactly 0. Otherwise fewer than three seeds give no honest
// seed error, so the test examples are resampled (paired_bootstrap over the mean over seeds of
// quality_a − quality_b): that speaks of these trained models only. Three or more give a paired t
// test over seeds, on this test set. For bits per byte the examples are documents that weigh as
// many bytes as they hold.
//
// Outcome, the first that holds:
//   tie            basis `same`
//   equivalent     a margin was stated and equivalence_p ≤ 0.05. Each such claim stands alone at
//                  5 %: Holm is not applied to it. It goes before "better" on purpose: it says that
//                  the 90 % interval of the difference lies inside the margin, so a difference
//                  that is certain too is certainly one that the reader declared not to matter.
//   first_better, second_better   adjusted_p ≤ 0.05: Holm over all pairs that are not `same`, so
//                  the chance of any false "better" in the whole comparison is at most 5 %
//   undecided      anything else
// Better means higher or lower in quality, as the measure says.
//
// Leaders: the best mean test quality (the first of equals), then from better to worse all that are
// not shown to be worse than it.
//
// Errors: config without designs or runs, when designs differ in their seeds, when runs of fewer
// than three seeds lack the quality of each test example, disagree about their weights or
// contradict their score, or when the margin is negative.
void judge(ComparisonResult& result);

}  // namespace ffn::inline v0
