// The verdict in plain English.
#pragma once

#include <string>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// Which design to take, at what cost, and how sure that is, for a reader who knows nothing of the
// project; from judged pairs and verdict.leaders (judge.h calls it last). UTF-8, one line.
//   one leader       "Take A: …, d points more than the next, B (95 % interval …), at … × its …"
//   several leaders  "Undecided: A (…) and B (…) could not be told apart; take the cheapest …", or
//                    "Equal within the stated margin …" when every pair of them is; the cheapest
//                    has the least median time per step, or, where a leader's time was not
//                    measured, the least arithmetic per step, then the fewest parameters
// A design given twice counts once. Costs that were not measured are left out. When parameters or
// arithmetic of the two differ by more than 5 %, a sentence says so. With fewer than three seeds
// the last sentence says that this speaks of these trained models only.
std::string verdict_sentence(const ComparisonResult& result);

}  // namespace ffn::inline v0
