// Pictures as sequences of tokens: cut into patches, averaged, and gated.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// A picture of `channels` planes of height × width, cut into squares of `patch` × `patch`.
struct PatchGrid {
  std::int64_t channels = 0, height = 0, width = 0, patch = 1;

  std::int64_t across() const { return width / patch; }
  std::int64_t tokens() const { return (height / patch) * across(); }
  std::int64_t picture() const { return channels * height * width; }
  std::int64_t token() const { return channels * patch * patch; }
};

// patches[b·T + (i·across + j), (c·p + py)·p + px] = images[b, (c·height + i·p + py)·width + j·p +
// px]: images [B, C·height·width], patches [B·T, C·p·p] of the same dtype, T = grid.tokens(); p
// divides height and width. Every element of either appears in the other once.
struct PatchifyForwardArgs {
  ConstMatrix images;
  Matrix patches;
  PatchGrid grid;
};
// dimages (+)= dpatches, each element back to its place.
struct PatchifyBackwardArgs {
  ConstMatrix dpatches;
  GradMatrix dimages;
  PatchGrid grid;
};

// y[b, :] = mean of the rows [first, first + count) of sequence b. x [B·T, D], y [B, D], T = x.rows
// / B, count ≥ 1. Summed in order of the rows, rounded once on store.
struct MeanTokensForwardArgs {
  ConstMatrix x;
  Matrix y;
  std::int64_t first = 0, count = 1;
};
// dx[b·T + t, :] (+)= dy[b, :]/count for t in [first, first + count), 0 for the other rows.
struct MeanTokensBackwardArgs {
  ConstMatrix dy;
  GradMatrix dx;
  std::int64_t first = 0, count = 1;
};

// y = x with the rows [first, first + count) of sequence b multiplied by gate[b, :]. x, y [B·T, C],
// gate [B, C], T = x.rows / B. y may be x.
struct GateTokensForwardArgs {
  ConstMatrix x, gate;
  Matrix y;
  std::int64_t first = 0, count = 0;
};
// dx (+)= dy ⊙ gate in those rows, dy in the others; dgate[b, :] (+)= Σ dy ⊙ x over those rows, in
// order of the rows, rounded once on store. Either may be absent, with what only it reads (gate;
// x); dx may be dy (overwrite).
struct GateTokensBackwardArgs {
  ConstMatrix x, gate, dy;
  GradMatrix dx, dgate;
  std::int64_t first = 0, count = 0;
};

}  // namespace ffn::inline v0::kernels
