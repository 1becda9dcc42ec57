// Rotary positions. Cosines and sines of every position and pair stand in the workspace, once for
// all sequences and heads; then rows stream through the cache.
#include "ffn/kernels/rope.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_rope(KernelTable& table);

namespace {

// Positions that follow one call of cosine and sine: the next comes from the last by the angle sum
// formulas, in double. 32 steps err by less than 2^-45, nothing beside the rounding to f32.
constexpr std::int64_t kSteps = 32;
// Pairs whose cosines are stepped on together, in the first-level cache.
constexpr std::int64_t kPairs = 64;

// [T, R/2] cosines and sines in f32, and [R/2] angles per position in double.
struct Angles {
  double* per_position;
  float *cosines, *sines;
  std::int64_t pairs;

  static std::int64_t head_bytes(std::int64_t pairs) { return ceil_div(pairs * 8, 64) * 64; }
  static std::int64_t bytes(std::int64_t tokens, std::int64_t pairs) {
    return head_bytes(pairs) + 2 * tokens * pairs * 4;
  }
};

Angles angles_at(const LaunchContext& ctx, std::int64_t tokens, std::int64_t pairs) {
  FFN_ASSERT(ctx.workspace_bytes >= Angles::bytes(tokens, pairs));
  void* first = ctx.workspace;
  void* second = ctx.workspace + Angles::head_bytes(pairs);
  float* cosines = static_cast<float*>(second);
  return {static_cast<double*>(first), cosines, cosines + tokens * pairs, pairs};
}

// Rows [begin, end) of the pairs [pair, pair + n), n ≤ kPairs, for end − begin ≤ kSteps.
void fill_steps(const Angles& angles, const RopeArgs& args, std::int64_t begin, std::int64_t end,
                std::int64_t pair, std::int64_t n) {
  double cosine[kPairs], sine[kPairs], step_cosine[kPairs], step_sine[kPairs];
  const auto position = static_cast<double>(args.first_position + begin);
  const double sign = args.back && !fault(80) ? -1 : 1;
  for (std::int64_t i = 0; i < n; ++i) {
    const double step = sign * angles.per_position[pair + i];
    cosine[i] = __builtin_cos(position * step);
    sine[i] = __builtin_sin(position * step);
    step_cosine[i] = end - begin > 1 ? __builtin_cos(step) : 1;
    step_sine[i] = end - begin > 1 ? __builtin_sin(step) : 0;
  }
  for (std::int64_t row = begin; row < end; ++row) {
    float* cosines = angles.cosines + row * angles.pairs + pair;
    float* sines = angles.sines + row * angles.pairs + pair;
    for (std::int64_t i = 0; i < n; ++i) {
      cosines[i] = static_cast<float>(cosine[i]);
      sines[i] = static_cast<float>(sine[i]);
      const double next = cosine[i] * step_cosine[i] - sine[i] * step_sine[i];
      sine[i] = sine[i] * step_cosine[i] + cosine[i] * step_sine[i];
      cosine[i] = next;
    }
  }
}

void fill_angles(const LaunchContext& ctx, const Angles& angles, const RopeArgs& args) {
  for (std::int64_t i = 0; i < angles.pairs; ++i) {
    const double exponent = -static_cast<double>(i) / static_cast<double>(angles.pairs);
    angles.per_position[i] =
        args.frequencies != nullptr ? args.frequencies[i] : __builtin_pow(args.theta, exponent);
  }
  const std::int64_t blocks = ceil_div(args.tokens, kSteps);
  const std::int64_t enough = most(1, kGrain / most(1, kSteps * angles.pairs));
  for_ranges(ctx, blocks, 1, enough, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t row = block * kSteps, stop = least(args.tokens, row + kSteps);
      for (std::int64_t pair = 0; pair < angles.pairs; pair += kPairs) {
        fill_steps(angles, args, row, stop, pair, least(kPairs, angles.pairs - pair));
      }
    }
  });
}

// One thread's view of x and y: both members of a pair at once.
class Turner {
 public:
  Turner(const RopeArgs& args, const Angles& angles)
      : args_(args),
        angles_(angles),
        first_(args.x),
        second_(args.x),
        to_first_(args.y, args.accumulate),
        to_second_(args.y, args.accumulate) {}

  void turn(std::int64_t row) {
    const std::int64_t t = fault(81) ? least(row, args_.tokens - 1) : row % args_.tokens;
    const float* cosines = angles_.cosines + t * angles_.pairs;
    const float* sines = angles_.sines + t * angles_.pairs;
    const std::int64_t W = args_.x.cols / args_.heads;
    const bool in_place = args_.x.data == args_.y.data && !args_.accumulate;
    for (std::int64_t head = 0; head < args_.x.cols; head += W) {
      if (args_.style == RopeStyle::half) {
        turn_halves(row, head, cosines, sines);
      } else {
        turn_neighbours(row, head, cosines, sines);
      }
      if (!in_place) pass(row, head + args_.rotary_width, W - args_.rotary_width);
    }
  }

 private:
  static Pair rotate(Vec a, Vec b, Vec cosine, Vec sine) {
    return {fnma(b, sine, a * cosine), fma(a, sine, b * cosine)};
  }

  void turn_halves(std::int64_t row, std::int64_t head, const float* cosines, const float* sines) {
    for_row_segments(angles_.pairs, [&](std::int64_t i, std::int64_t n) {
      const std::int64_t a = head + i, b = a + angles_.pairs;
      map_pair(n, to_first_.begin(row, a), to_second_.begin(row, b), rotate, first_.read(row, a, n),
               second_.read(row, b, n), cosines + i, sines + i);
      to_first_.end(row, a, n);
      to_second_.end(row, b, n);
    });
  }

  // Neighbours are taken apart, turned, and put together again.
  void turn_neighbours(std::int64_t row, std::int64_t head, const float* cosines,
                       const float* sines) {
    for_row_segments(2 * angles_.pairs, [&](std::int64_t col, std::int64_t count) {
      const std::int64_t i = col / 2, n = count / 2;
      float *even = even_.data, *odd = odd_.data;
      const float* from = first_.read(row, head + col, count);
      for (std::int64_t j = 0; j < n; ++j) {
        even[j] = from[2 * j];
        odd[j] = from[2 * j + 1];
      }
      map_pair(n, even, odd, rotate, static_cast<const float*>(even),
               static_cast<const float*>(odd), cosines + i, sines + i);
      float* to = to_first_.begin(row, head + col);
      for (std::int64_t j = 0; j < n; ++j) {
        to[2 * j] = even[j];
        to[2 * j + 1] = odd[j];
      }
      to_first_.end(row, head + col, count);
    });
  }

  void pass(std::int64_t row, std::int64_t begin, std::int64_t count) {
    for_row_segments(count, [&](std::int64_t col, std::int64_t n) {
      map(
          n, to_first_.begin(row, begin + col), [](Vec v) { return v; },
          first_.read(row, begin + col, n));
      to_first_.end(row, begin + col, n);
    });
  }

  const RopeArgs& args_;
  const Angles& angles_;
  Reader first_, second_;
  Writer to_first_, to_second_;
  Buffer even_, odd_;
};

std::int64_t rope_workspace(std::int64_t tokens, std::int64_t rotary_width) {
  return Angles::bytes(tokens, rotary_width / 2);
}

void rope(const LaunchContext& ctx, const RopeArgs& args) {
  FFN_ASSERT(args.heads >= 1 && args.rotary_width % 2 == 0);
  const Angles angles = angles_at(ctx, args.tokens, args.rotary_width / 2);
  fill_angles(ctx, angles, args);
  for_row_ranges(ctx, args.x.rows, args.x.cols, [&](std::int64_t begin, std::int64_t end) {
    Turner turner(args, angles);
    for (std::int64_t row = begin; row < end; ++row) turner.turn(row);
  });
}

}  // namespace

void fill_rope(KernelTable& table) {
  table.rope = rope;
  table.rope_workspace = rope_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
