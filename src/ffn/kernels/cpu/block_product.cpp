// Products of blocks with rows of 8 bits, of one instruction set. Equations:
// kernels/block_product.h. Weights are read where they lie, kBlockColumns rows of them at a time,
// and their bytes are multiplied as they are: no values in f32 are made of them. The rows become
// integers once per product (block_rows_int8.h).
#include "ffn/kernels/block_product.h"

#include "ffn/kernels/cpu/block_groups.h"
#include "ffn/kernels/cpu/block_rows_int8.h"
#include "ffn/kernels/cpu/families.h"
#include "ffn/kernels/cpu/product_pack.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Rows of B that run side by side, as many streams as the hardware follows with ease.
constexpr int kBlockColumns = 4;
// Rows of A per visit of a group of weights: their sums stay in registers (16 of them on AVX2).
#if defined(FFN_ISA_AVX512) || defined(FFN_ISA_AVX512_BF16)
constexpr int kBlockHeight = 4;
#elif defined(FFN_ISA_AVX2)
constexpr int kBlockHeight = 2;
#else
constexpr int kBlockHeight = 1;
#endif
// Rows of A that pass before the next columns: their integers stay in L2.
constexpr std::int64_t kPassingRows = 64;
// Multiply-adds that are worth a thread of their own: about 3 µs.
constexpr std::int64_t kEnoughBlockWork = std::int64_t{1} << 17;
// Weights come by once, so lines are asked for. Whole bytes are limited by memory: far ahead, and
// into L2, for in L1 lines would take the buffers that its own misses wait for. Nibbles are limited
// by instructions, which a way from L2 would hold up.
template <class Unit>
constexpr bool kFromNibbles = Unit::kVectors == kNibbleVectors && kNibbleVectors != kIntVectors;
template <class Unit>
constexpr std::int64_t kLinesAhead = kFromNibbles<Unit> ? 4096 : 8192;
template <class Unit>
constexpr int kIntoLevel =
    kFromNibbles<Unit> ? 3 : 2;  // as __builtin_prefetch counts them: 3 is L1

template <class Unit>
std::int64_t row_steps(std::int64_t K) {
  return ceil_div(K, Unit::kStepGroups * kQuantBlock);
}

template <class Unit>
std::int64_t row_bytes(std::int64_t K) {
  return row_steps<Unit>(K) * static_cast<std::int64_t>(sizeof(RowGroups<Unit>));
}

// One product with its rows as integers: row m at a + m·steps.
template <class Unit>
struct BlockProblem {
  const BlockProductArgs* args;
  const RowGroups<Unit>* a;
  std::int64_t steps;
};

// Blocks of a unit.
template <class Unit>
constexpr std::int64_t kUnitBlocks = Unit::kSteps > 1 ? 1 : Unit::kStepGroups;

// What is missing beside last groups: a block of zeros, of any type of 32 elements.
alignas(64) constexpr std::uint8_t kNoBlock[64] = {};

template <class Unit>
[[gnu::always_inline]] inline auto whole_unit(const std::uint8_t* unit) {
  return places_from<Unit::kStepGroups>(unit, Unit::kSteps > 1 ? 0 : Unit::kBytes);
}
// Of which `blocks` are there.
template <class Unit>
[[gnu::always_inline]] inline auto last_unit(const std::uint8_t* unit, std::int64_t blocks) {
  auto places = whole_unit<Unit>(unit);
  for (int g = 0; g < Unit::kStepGroups; ++g) {
    if (g >= blocks) places.at[g] = kNoBlock;
  }
  return places;
}

// Of a group: the integer sums of vectors [first, last), scaled and added.
template <class Unit>
[[gnu::always_inline]] inline Vec add_group(const GroupWeights& weights, const RowGroups<Unit>& a,
                                            int first, int last, Vec scale, Vec sum) {
  IVec dot = iset(0), words = iset(0);
  for (int v = first; v < last; ++v) {
    const IVec quads = load_lanes(a.quants + v * 4 * kLanes);
    if (Unit::kOffset != 0 && v < kIntVectors) dot = dot + bits(load(a.start_bits + v * kLanes));
    if constexpr (kDotsQuads) {
      dot = dot_quads(weights.quants[v], quads, dot);
    } else if constexpr (Unit::kSigned) {
      const IVec sizes = abs_bytes(weights.quants[v]);
      dot = dot + add_pairs(multiply_pairs(sizes, sign_bytes(quads, weights.quants[v])));
    } else if constexpr (Unit::kVectors == 2) {
      words = add_words(words, multiply_pairs(weights.quants[v], quads));
    } else {
      dot = dot + add_pairs(multiply_pairs(weights.quants[v], quads));
    }
  }
  // Two products of 5 and 8 bits twice: at most 4·31·127 = 15748.
  if constexpr (Unit::kVectors == 2 && !kDotsQuads) dot = dot + add_pairs(words);
  return fma(to_float(dot), scale * load(a.scales), sum);
}

template <class Unit>
[[gnu::always_inline]] inline Vec add_weights(const GroupWeights& weights, const RowGroups<Unit>& a,
                                              Vec sum) {
  if constexpr (Unit::kHalves && kIntVectors > 1) {
    constexpr int half = kIntVectors / 2;
    sum = add_group<Unit>(weights, a, 0, half, weights.scales[0], sum);
    sum = add_group<Unit>(weights, a, half, kIntVectors, weights.scales[1], sum);
  } else {
    sum = add_group<Unit>(weights, a, 0, Unit::kVectors, weights.scales[0], sum);
  }
  if constexpr (Unit::kMinimum > 0) sum = fma(weights.minimum, load(a.sums), sum);
  if constexpr (Unit::kMinimum < 0) sum = fnma(weights.minimum, load(a.sums), sum);
  return sum;
}

template <class Unit, int Height, int Step = 0>
[[gnu::always_inline]] inline void add_steps(const Unit& unit, const RowGroups<Unit>* a,
                                             std::int64_t a_step, Vec (&sum)[Height]) {
  const GroupWeights weights = unit.template step<Step>();
#pragma GCC unroll 4
  for (int i = 0; i < Height; ++i)
    sum[i] = add_weights<Unit>(weights, a[i * a_step + Step], sum[i]);
  if constexpr (Step + 1 < Unit::kSteps) add_steps<Unit, Height, Step + 1>(unit, a, a_step, sum);
}

// Asks for what comes after the rows being read, unit by unit: kBlockColumns rows lie in one piece.
template <class Unit>
[[gnu::always_inline]] inline void ask_ahead(const std::uint8_t* at) {
  constexpr std::int64_t bytes = kBlockColumns * kUnitBlocks<Unit> * Unit::kBytes;
  constexpr std::int64_t lines = ceil_div(bytes, 64);
#pragma GCC unroll 16
  for (std::int64_t line = 0; line < lines; ++line)
    __builtin_prefetch(at + line * bytes / lines, 0, kIntoLevel<Unit>);
}

template <class Unit, int Height>
[[gnu::always_inline]] inline void add_units(const BlockProblem<Unit>& problem,
                                             const RowGroups<Unit>* a,
                                             const std::uint8_t* const (&rows)[kBlockColumns],
                                             Vec (&sum)[kBlockColumns][Height]) {
  const std::int64_t blocks = problem.args->b.cols / Unit::kElements;
  constexpr std::int64_t bytes = kUnitBlocks<Unit> * Unit::kBytes;
  const std::int64_t whole = blocks / kUnitBlocks<Unit>;
  const std::int64_t ahead = most(kLinesAhead<Unit>, kBlockColumns * blocks * Unit::kBytes);
  const auto add = [&](std::int64_t at, const auto& places) {
#pragma GCC unroll 4
    for (int j = 0; j < kBlockColumns; ++j)
      add_steps<Unit, Height>(Unit(places(rows[j] + at * bytes)), a + at * Unit::kSteps,
                              problem.steps, sum[j]);
  };
  for (std::int64_t at = 0; at < whole; ++at) {
    ask_ahead<Unit>(rows[0] + ahead + kBlockColumns * at * bytes);
    add(at, [](const std::uint8_t* unit) { return whole_unit<Unit>(unit); });
  }
  if (whole * kUnitBlocks<Unit> < blocks)
    add(whole, [&](const std::uint8_t* unit) {
      return last_unit<Unit>(unit, blocks - whole * kUnitBlocks<Unit>);
    });
}

inline Vec load_some(const ConstMatrix& from, std::int64_t row, std::int64_t col, std::int64_t n) {
  const std::int64_t at = row * from.ld + col;
  if (from.dtype == DType::bf16) return load_n(static_cast<const Bf16*>(from.data) + at, n);
  return load_n(static_cast<const float*>(from.data) + at, n);
}
// Apart from the loops, so that their registers stay there.
[[gnu::noinline]] void put_block_sums(const BlockProductArgs& args, std::int64_t m, std::int64_t n,
                                      std::int64_t columns, const Vec (&sums)[kBlockColumns]) {
  for (std::int64_t j = 0; j < columns; j += kReduced) {
    const std::int64_t count = least(kReduced, columns - j), at = m * args.c.ld + n + j;
    Vec y = reduce_adds(sums + j);
    if (args.accumulate) y = y + load_some(args.c, m, n + j, count);
    if (args.bias.data != nullptr) y = y + load_some(args.bias, 0, n + j, count);
    if (args.c.dtype == DType::bf16) {
      store_n(static_cast<Bf16*>(args.c.data) + at, y, count);
    } else {
      store_n(static_cast<float*>(args.c.data) + at, y, count);
    }
  }
}

template <class Unit, int Height>
[[gnu::noinline]] void multiply_block(const BlockProblem<Unit>& problem, std::int64_t m,
                                      std::int64_t n, std::int64_t columns) {
  const ConstMatrix& b = problem.args->b;
  const std::int64_t b_step = b.ld / Unit::kElements * Unit::kBytes;
  const std::uint8_t* rows[kBlockColumns];
  Vec sum[kBlockColumns][Height];
#pragma GCC unroll 4
  for (int j = 0; j < kBlockColumns; ++j) {
    // A missing column repeats the first and is dropped.
    rows[j] = static_cast<const std::uint8_t*>(b.data) + (n + (j < columns ? j : 0)) * b_step;
#pragma GCC unroll 4
    for (int i = 0; i < Height; ++i) sum[j][i] = zero();
  }
  add_units<Unit, Height>(problem, problem.a + m * problem.steps, rows, sum);
#pragma GCC unroll 4
  for (int i = 0; i < Height; ++i) {
    Vec finished[kBlockColumns];
#pragma GCC unroll 4
    for (int j = 0; j < kBlockColumns; ++j) finished[j] = sum[j][i];
    put_block_sums(*problem.args, m + i, n, columns, finished);
  }
}

// Rows m of C, the given columns.
template <class Unit>
void multiply_columns(const BlockProblem<Unit>& problem, Range m, Range columns) {
  for (std::int64_t n = columns.begin; n < columns.end; n += kBlockColumns) {
    const std::int64_t width = least(kBlockColumns, columns.end - n);
    std::int64_t row = m.begin;
    for (; row + kBlockHeight <= m.end; row += kBlockHeight)
      multiply_block<Unit, kBlockHeight>(problem, row, n, width);
    for (; row < m.end; ++row) multiply_block<Unit, 1>(problem, row, n, width);
  }
}

// body.operator()<Unit>() for the type of the blocks.
template <class Body>
void with_blocks(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::q4_0: return body.template operator()<Q4_0Unit>();
    case DType::q4_1: return body.template operator()<Q4_1Unit>();
    case DType::q5_0: return body.template operator()<Q5_0Unit>();
    case DType::q8_0: return body.template operator()<Q8_0Unit>();
    case DType::q4_k: return body.template operator()<Q4KUnit>();
    default: FFN_ASSERT(dtype == DType::q6_k); return body.template operator()<Q6KUnit>();
  }
}

inline std::int64_t block_product_workspace(const BlockProductShape& shape, int) {
  if (shape.m <= 0 || shape.n <= 0) return 0;
  // Q4_0 and Q8_0: of nibbles and of whole bytes.
  return shape.m * most(row_bytes<Q4_0Unit>(shape.k), row_bytes<Q8_0Unit>(shape.k));
}

template <class Unit>
void multiply_blocks(const LaunchContext& ctx, const BlockProductArgs& args) {
  const std::int64_t M = args.c.rows, N = args.c.cols, K = args.a.cols, steps = row_steps<Unit>(K);
  void* workspace = ctx.workspace;
  auto* a = static_cast<RowGroups<Unit>*>(workspace);
  for_ranges(ctx, M, 1, most(kEnoughBlockWork / 16 / most(K, 1), 1),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t m = begin; m < end; ++m) {
                 const auto quantize = [&](const auto& rows) {
                   quantize_row(rows, rows.row(m), K, a + m * steps);
                 };
                 if (args.a.dtype == DType::bf16) {
                   quantize(PlainRows<Bf16>(args.a));
                 } else {
                   quantize(PlainRows<float>(args.a));
                 }
               }
             });
  const BlockProblem<Unit> problem{&args, a, steps};
  for_ranges(ctx, N, kBlockColumns, most(kEnoughBlockWork / most(M * K, 1), 1),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t m = 0; m < M; m += kPassingRows)
                 multiply_columns<Unit>(problem, {m, least(m + kPassingRows, M)}, {begin, end});
             });
}

inline void block_product(const LaunchContext& ctx, const BlockProductArgs& args) {
  const BlockProductShape shape{args.c.rows, args.c.cols, args.a.cols};
  if (shape.m <= 0 || shape.n <= 0) return;
  FFN_ASSERT(args.a.rows == shape.m && args.b.rows == shape.n && args.b.cols == shape.k);
  FFN_ASSERT(args.a.dtype == DType::f32 || args.a.dtype == DType::bf16);
  FFN_ASSERT(args.c.dtype == DType::f32 || args.c.dtype == DType::bf16);
  FFN_ASSERT(ctx.workspace_bytes >= block_product_workspace(shape, thread_count(ctx)));
  with_blocks(args.b.dtype, [&]<class Unit>() { multiply_blocks<Unit>(ctx, args); });
}

}  // namespace

void fill_block_product(KernelTable& table) {
  table.block_product = block_product;
  table.block_product_workspace = block_product_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
