// Rows of quantised blocks, read as f32. Layouts and equations: base/blocks.h.
//
// A type says value(group, j): kLanes elements of 32 from element j on; where it has scale(group),
// that is still to multiply them, so that a sum of products of all 32 is scaled once.
#pragma once

#include "ffn/base/dtype.h"
#include "ffn/kernels/args.h"
#include "ffn/kernels/cpu/loops.h"
#include "ffn/kernels/cpu/product_tile.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Vectors of a group's values.
constexpr int kGroupVectors = static_cast<int>(kQuantBlock / kLanes);

inline Vec half_at(const std::uint8_t* at) {
  std::uint16_t half;
  __builtin_memcpy(&half, at, sizeof half);
  return set_f16(half);
}

// A block and which 32 of its elements.
struct BlockGroup {
  const std::uint8_t* block;
  std::int64_t index;
};

// The readers' common part; Type is the reader itself.
template <class Type, std::int64_t Bytes, std::int64_t Elements>
struct BlockRows {
  static constexpr std::int64_t kBytes = Bytes, kElements = Elements;
  static constexpr std::int64_t kGroupBytes = Bytes * kQuantBlock / Elements;
  static constexpr Word kWord = Word::f32;

  const std::uint8_t* data;
  std::int64_t row_bytes;

  explicit BlockRows(const ConstMatrix& m)
      : data(static_cast<const std::uint8_t*>(m.data)), row_bytes(m.ld / Elements * Bytes) {}
  const std::uint8_t* row(std::int64_t r) const { return data + r * row_bytes; }
  static std::int64_t whole(std::int64_t end) { return end; }
  std::int64_t row_step() const { return row_bytes; }

  static BlockGroup group(const std::uint8_t* row, std::int64_t k) {
    return {row + k / Elements * Bytes, k % Elements / kQuantBlock};
  }
  [[gnu::always_inline]] static Vec read(const std::uint8_t* row, std::int64_t col) {
    const BlockGroup at = group(row, col);
    const Vec value = Type::value(at, col % kQuantBlock);
    if constexpr (requires { Type::scale(at); }) return Type::scale(at) * value;
    return value;
  }
  static Vec read_n(const std::uint8_t* row, std::int64_t col, std::int64_t) {
    return read(row, col);
  }
};

// The 4-bit integers of elements j … of 32: 16 bytes hold 0 … 15 in their low halves, 16 … 31 in
// their high ones.
inline IVec split_nibbles(const std::uint8_t* pairs, std::int64_t j) {
  const IVec bytes = load_bytes(pairs + j % 16);
  return j < 16 ? bytes & iset(15) : shift_right<4>(bytes);
}

struct Q4_0Rows : BlockRows<Q4_0Rows, 18, kQuantBlock> {
  using BlockRows::BlockRows;
  static Vec scale(BlockGroup g) { return half_at(g.block); }
  static Vec value(BlockGroup g, std::int64_t j) {
    return to_float(split_nibbles(g.block + 2, j) - iset(8));
  }
};

struct Q4_1Rows : BlockRows<Q4_1Rows, 20, kQuantBlock> {
  using BlockRows::BlockRows;
  static Vec value(BlockGroup g, std::int64_t j) {
    return fma(to_float(split_nibbles(g.block + 4, j)), half_at(g.block), half_at(g.block + 2));
  }
};

// 1 << lane.
alignas(64) constexpr std::int32_t kLaneBits[16] = {1,   2,   4,    8,    16,   32,   64,    128,
                                                    256, 512, 1024, 2048, 4096, 8192, 16384, 32768};

struct Q5_0Rows : BlockRows<Q5_0Rows, 22, kQuantBlock> {
  using BlockRows::BlockRows;
  static Vec scale(BlockGroup g) { return half_at(g.block); }
  static Vec value(BlockGroup g, std::int64_t j) {
    std::uint32_t fifth;
    __builtin_memcpy(&fifth, g.block + 2, sizeof fifth);
    const IVec bit = load_int(kLaneBits);
    const Mask high = eq(iset(static_cast<std::int32_t>(fifth >> j)) & bit, bit);
    return to_float(split_nibbles(g.block + 6, j)) + select(high, zero(), set(-16.0f));
  }
};

struct Q8_0Rows : BlockRows<Q8_0Rows, 34, kQuantBlock> {
  using BlockRows::BlockRows;
  static Vec scale(BlockGroup g) { return half_at(g.block); }
  static Vec value(BlockGroup g, std::int64_t j) {
    const void* values = g.block + 2 + j;
    return to_float(load_signed_bytes(static_cast<const std::int8_t*>(values)));
  }
};

struct Q4KRows : BlockRows<Q4KRows, 144, kSuperBlock> {
  using BlockRows::BlockRows;
  static Vec value(BlockGroup g, std::int64_t j) {
    const std::uint8_t* six_bits = g.block + 4;
    const std::int64_t i = g.index;
    const bool late = i >= 4;
    const int scale = late ? (six_bits[i + 4] & 15) | six_bits[i - 4] >> 6 << 4 : six_bits[i] & 63;
    const int least = late ? six_bits[i + 4] >> 4 | six_bits[i] >> 6 << 4 : six_bits[i + 4] & 63;
    const IVec bytes = load_bytes(six_bits + 12 + i / 2 * kQuantBlock + j);
    const IVec quants = i % 2 == 0 ? bytes & iset(15) : shift_right<4>(bytes);
    const Vec step = half_at(g.block) * set(static_cast<float>(scale));
    const Vec offset = half_at(g.block + 2) * set(static_cast<float>(least));
    return fma(to_float(quants), step, neg(offset));
  }
};

struct Q6KRows : BlockRows<Q6KRows, 210, kSuperBlock> {
  using BlockRows::BlockRows;
  static Vec value(BlockGroup g, std::int64_t j) {
    const std::int64_t half = g.index / 4, run = g.index % 4;
    const IVec bytes = load_bytes(g.block + half * 64 + run % 2 * kQuantBlock + j);
    const IVec lower = run < 2 ? bytes & iset(15) : shift_right<4>(bytes);
    const IVec upper = load_bytes(g.block + 128 + half * kQuantBlock + j) & iset(3 << 2 * run);
    // The two bits stand at 2·run and belong at 4.
    const Vec place = set(16.0f / static_cast<float>(1 << 2 * run));
    const Vec quants = fma(to_float(upper), place, to_float(lower - iset(32)));
    const std::uint8_t* scales = g.block + 192;
    const auto own = static_cast<std::int8_t>(scales[2 * g.index + j / 16]);
    return quants * (half_at(scales + 16) * set(static_cast<float>(own)));
  }
};

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
