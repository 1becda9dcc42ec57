// Rotary positions.
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Pair i of the head that begins at column `head`.
struct PairColumns {
  std::int64_t first, second;
};
PairColumns pair_columns(const RopeArgs& args, std::int64_t head, std::int64_t i) {
  if (args.style == RopeStyle::interleaved) return {head + 2 * i, head + 2 * i + 1};
  return {head + i, head + i + args.rotary_width / 2};
}

// The angle of pair i per position.
double frequency(const RopeArgs& args, std::int64_t i) {
  if (args.frequencies != nullptr) return args.frequencies[i];
  return std::pow(args.theta, -2 * static_cast<double>(i) / static_cast<double>(args.rotary_width));
}

void rope(const LaunchContext&, const RopeArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y) && args.heads >= 1 && args.rotary_width % 2 == 0);
  const std::int64_t W = args.x.cols / args.heads, R = args.rotary_width;
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      const auto position = static_cast<double>(args.first_position + row % args.tokens);
      for (std::int64_t i = 0; i < R / 2; ++i) {
        const double turn = position * frequency(args, i);
        const double cosine = std::cos(turn), sine = args.back ? -std::sin(turn) : std::sin(turn);
        for (std::int64_t head = 0; head < args.x.cols; head += W) {
          const auto [first, second] = pair_columns(args, head, i);
          const T a = x(row, first), b = x(row, second);  // both before y takes their place
          y.put(row, first, a * cosine - b * sine);
          y.put(row, second, b * cosine + a * sine);
        }
      }
      for (std::int64_t col = 0; col < args.x.cols; ++col) {
        if (col % W >= R) y.put(row, col, x(row, col));
      }
    }
  });
}

}  // namespace

void add_rope_kernels(KernelTable& table) {
  table.rope = rope;
  table.rope_workspace = [](std::int64_t, std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
