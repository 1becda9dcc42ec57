// Dropout: the mask is recomputed from the random stream, never stored.
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/pointwise.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_dropout(KernelTable& table);

namespace {

// Philox4x32-10 as in base/philox.cpp, for kBatch consecutive blocks at once: plain loops over the
// blocks, which the compiler turns into vectors (base's function would be one block per call).
constexpr int kBatch = 16;
constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
struct Blocks {
  alignas(64) std::uint32_t word[4][kBatch];
};

inline std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>((std::uint64_t{a} * b) >> 32);
}

// The ten rounds. Not inlined: GCC 12 vectorises the loop over blocks only while the words are
// memory.
[[gnu::noinline]] void mix(Blocks& x, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    Blocks y;
    for (int i = 0; i < kBatch; ++i) {
      const std::uint32_t a = x.word[0][i], c = x.word[2][i];
      y.word[0][i] = high_product(kMultiplier1, c) ^ x.word[1][i] ^ key0;
      y.word[1][i] = kMultiplier1 * c;
      y.word[2][i] = high_product(kMultiplier0, a) ^ x.word[3][i] ^ key1;
      y.word[3][i] = kMultiplier0 * a;
    }
    x = y;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

Blocks philox_blocks(std::uint64_t key, std::uint64_t step, std::uint64_t first) {
  Blocks x;
  for (int i = 0; i < kBatch; ++i) {
    const std::uint64_t block = first + static_cast<std::uint64_t>(i);
    x.word[0][i] = static_cast<std::uint32_t>(block);
    x.word[1][i] = static_cast<std::uint32_t>(block >> 32);
    x.word[2][i] = static_cast<std::uint32_t>(step);
    x.word[3][i] = static_cast<std::uint32_t>(step >> 32);
  }
  mix(x, key);
  return x;
}

// The factor of each element: 1/(1−p) where it is kept, 0 elsewhere.
class Factors {
 public:
  explicit Factors(const DropoutArgs& args) : key_(args.key), step_(args.step) {
    const double p = static_cast<double>(args.p);
    // p = 1 gives 2^32, which no word reaches: with a factor of 0 nothing is kept either.
    const auto threshold = static_cast<std::uint64_t>(p * 0x1p32);
    threshold_ = static_cast<std::uint32_t>(threshold > 0xffffffffu ? 0xffffffffu : threshold);
    kept_ = p < 1 ? static_cast<float>(1 / (1 - p)) : 0;
  }

  // Factors of the elements [first, first + n), n ≤ kSegment.
  const float* of(std::uint64_t first, std::int64_t n) {
    const std::uint32_t threshold = threshold_;
    const float kept = kept_;
    std::uint64_t block = first / 4;
    const auto skipped = static_cast<std::int64_t>(first % 4);
    for (std::int64_t at = 0; at < skipped + n; at += 4 * kBatch, block += kBatch) {
      const Blocks words = philox_blocks(key_, step_, block);
      for (int i = 0; i < kBatch; ++i) {
        for (int j = 0; j < 4; ++j) {
          factor_[at + 4 * i + j] = words.word[j][i] >= threshold ? kept : 0.0f;
        }
      }
    }
    return factor_ + skipped + (fault(42) && n % 4 != 0 ? 1 : 0);
  }

 private:
  std::uint64_t key_, step_;
  std::uint32_t threshold_;
  float kept_;
  // A segment that starts within a block needs one block more, and the last batch is whole.
  alignas(64) float factor_[kSegment + 4 * kBatch];
};

// Whole rows: one word for each run of rows_per_word of them.
void drop_rows(const LaunchContext& ctx, const DropoutArgs& args) {
  for_row_ranges(ctx, args.x.rows, args.x.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x);
    Writer y(args.y, args.accumulate);
    Factors factors(args);
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

void dropout(const LaunchContext& ctx, const DropoutArgs& args) {
  FFN_ASSERT(args.p >= 0 && args.p <= 1);
  if (args.rows_per_word > 0) return drop_rows(ctx, args);
  Grid(args.y, args.x).run(ctx, [&] {
    return [cols = args.x.cols, x = Reader(args.x), y = Writer(args.y, args.accumulate),
            factors = Factors(args)](const Segment& at) mutable {
      const float* from = x.read(at.row, at.col, at.n);
      const float* factor = factors.of(static_cast<std::uint64_t>(at.row * cols + at.col), at.n);
      // Selected, not multiplied: a dropped infinity is 0.
      const auto drop = [](Vec v, Vec f) { return select(gt(f, zero()), v * f, zero()); };
      map(at.n, y.begin(at.row, at.col), drop, from, factor);
      y.end(at.row, at.col, at.n);
    };
  });
}

}  // namespace

void fill_dropout(KernelTable& table) { table.dropout = dropout; }

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
