// Dropout and jitter: the random numbers are drawn again from their stream, never stored.
#include "ffn/kernels/cpu/philox_blocks.h"
#include "ffn/kernels/pointwise.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_dropout(KernelTable& table);

namespace {

// 1/(1−p) where an element is kept, 0 elsewhere.
struct KeepRule {
  std::uint32_t threshold;
  float kept;

  explicit KeepRule(float drop) {
    const double p = static_cast<double>(drop);
    // p = 1 gives 2^32, which no word reaches: with a factor of 0 nothing is kept either.
    const auto least_kept = static_cast<std::uint64_t>(p * 0x1p32);
    threshold = static_cast<std::uint32_t>(least_kept > 0xffffffffu ? 0xffffffffu : least_kept);
    kept = p < 1 ? static_cast<float>(1 / (1 - p)) : 0;
  }
  float operator()(std::uint32_t word) const { return word >= threshold ? kept : 0.0f; }
};

// 1 + amount·(2u − 1), u = word·2^-32: 2u − 1 is the word with its highest bit flipped, read as a
// signed number, times 2^-31.
struct JitterRule {
  float amount;

  float operator()(std::uint32_t word) const {
    const auto centred = static_cast<std::int32_t>(word ^ 0x80000000u);
    return 1.0f + amount * (static_cast<float>(centred) * 0x1p-31f);
  }
};

// Whole rows: one word for each run of rows_per_word of them.
void drop_rows(const LaunchContext& ctx, const DropoutArgs& args) {
  for_row_ranges(ctx, args.x.rows, args.x.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x);
    Writer y(args.y, args.accumulate);
    Factors<KeepRule> factors(args.key, args.step, KeepRule(args.p));
    std::int64_t word = -1;
    float factor = 0;
    for (std::int64_t row = begin; row < end; ++row) {
      if (row / args.rows_per_word != word) {
        word = row / args.rows_per_word;
        factor = *factors.of(static_cast<std::uint64_t>(word), 1);
      }
      for_row_segments(args.x.cols, [&](std::int64_t col, std::int64_t n) {
        float* to = y.begin(row, col);
        if (factor > 0) {
          const Vec kept = set(fault(73) ? 1 : factor);
          map(n, to, [=](Vec v) { return v * kept; }, x.read(row, col, n));
        } else {
          fill_with(n, to, 0);
        }
        y.end(row, col, n);
      });
    }
  });
}

// y (+)= apply(x, rule(its word)) for every element.
template <class Args, class Rule, class F>
void apply_factors(const LaunchContext& ctx, const Args& args, const Rule& rule, F apply) {
  Grid(args.y, args.x).run(ctx, [&] {
    return [cols = args.x.cols, apply, x = Reader(args.x), y = Writer(args.y, args.accumulate),
            factors = Factors<Rule>(args.key, args.step, rule)](const Segment& at) mutable {
      const float* from = x.read(at.row, at.col, at.n);
      const float* factor = factors.of(static_cast<std::uint64_t>(at.row * cols + at.col), at.n);
      map(at.n, y.begin(at.row, at.col), apply, from, factor);
      y.end(at.row, at.col, at.n);
    };
  });
}

void dropout(const LaunchContext& ctx, const DropoutArgs& args) {
  FFN_ASSERT(args.p >= 0 && args.p <= 1);
  if (args.rows_per_word > 0) return drop_rows(ctx, args);
  // Selected, not multiplied: a dropped infinity is 0.
  apply_factors(ctx, args, KeepRule(args.p),
                [](Vec v, Vec f) { return select(gt(f, zero()), v * f, zero()); });
}

void jitter(const LaunchContext& ctx, const JitterArgs& args) {
  apply_factors(ctx, args, JitterRule{args.amount}, [](Vec v, Vec f) { return v * f; });
}

}  // namespace

void fill_dropout(KernelTable& table) {
  table.dropout = dropout;
  table.jitter = jitter;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
