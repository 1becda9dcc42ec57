// Products of integers of one instruction set. Equations: kernels/quantized_product.h. Rows become
// integers once, then each thread takes panels of columns: a panel's integers stay in L1 or L2 for
// all rows, piece by piece of k.
#include "ffn/kernels/cpu/families.h"
#include "ffn/kernels/cpu/product_plan.h"
#include "ffn/kernels/cpu/quantized_pack.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Rows whose sums of a panel stand in L1: 132 · 16 · 4 bytes are 8 KiB on AVX2.
constexpr std::int64_t kQuantBlockRows = 132;
// Values of k after which the next rows come: a panel's integers are then 16 KiB on AVX2.
constexpr std::int64_t kQuantDepth = 1024;

struct QuantLayout {
  std::int64_t quants, scales, bias, sums;  // bytes; sums: of each thread
};
inline QuantLayout quant_layout(const QuantizedProductShape& shape) {
  const std::int64_t groups = groups_of(shape.format, shape.k);
  return {round_up(shape.m * groups * shape.format.group, 64),
          round_up(shape.m * groups * kFloatBytes, 64),
          round_up(round_up(shape.n, kPanel) * kFloatBytes, 64),
          kQuantBlockRows * kQuantPanel * kFloatBytes};
}
inline std::int64_t quantized_product_workspace(const QuantizedProductShape& shape, int threads) {
  if (shape.m <= 0 || shape.n <= 0) return 0;
  const QuantLayout layout = quant_layout(shape);
  return layout.quants + 2 * layout.scales + layout.bias + threads * layout.sums;
}

inline void quantize_rows(const LaunchContext& ctx, const QuantizedProductArgs& args,
                          const QuantRows& to) {
  const std::int64_t K = args.a.cols;
  for_ranges(ctx, args.a.rows, 1, most(kEnoughWork / 4 / most(K, 1), 1),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t m = begin; m < end; ++m) {
                 if (args.a.dtype == DType::bf16) {
                   quantize_row(args.format, PlainRows<Bf16>(args.a), m, K, to);
                 } else {
                   quantize_row(args.format, PlainRows<float>(args.a), m, K, to);
                 }
               }
             });
}

// Sums of a block of rows and one panel.
inline void sum_block(const QuantizedFormat& format, const QuantRows& a, Range rows,
                      const std::byte* panel, float* sums) {
  const std::int64_t piece = kQuantDepth / format.group;
  for (std::int64_t i = 0; i < (rows.end - rows.begin) * kQuantPanel; i += kLanes)
    store(sums + i, zero());
  for (std::int64_t g = 0; g < a.groups; g += piece) {
    for (std::int64_t row = rows.begin; row < rows.end; row += kQuantRows) {
      const QuantTile tile{a.quants + row * a.ld + g * format.group,
                           a.ld,
                           a.scales + row * a.groups + g,
                           a.starts + row * a.groups + g,
                           a.groups,
                           panel + g * panel_group_bytes(format),
                           least(piece, a.groups - g),
                           format.group / kQuad,
                           sums + (row - rows.begin) * kQuantPanel};
      const std::int64_t count = least(kQuantRows, rows.end - row);
      if (format.bits == 8) {
        run_quantized_tile<8>(tile, count);
      } else {
        run_quantized_tile<4>(tile, count);
      }
    }
  }
}

template <class Element>
void write_sums(const QuantizedProductArgs& args, Range rows, Range columns, const float* bias,
                const float* sums) {
  for (std::int64_t m = rows.begin; m < rows.end; ++m, sums += kQuantPanel) {
    Element* c = static_cast<Element*>(args.c.data) + m * args.c.ld + columns.begin;
    for (std::int64_t j = 0; j < columns.end - columns.begin; j += kLanes) {
      const std::int64_t n = least(kLanes, columns.end - columns.begin - j);
      Vec y = load(sums + j);
      if (args.accumulate) y = y + load_n(c + j, n);
      if (bias != nullptr) y = y + load(bias + columns.begin + j);
      store_n(c + j, y, n);
    }
  }
}

inline void run_panels(const QuantizedProductArgs& args, const QuantRows& a, Range panels,
                       const float* bias, float* sums) {
  const std::int64_t M = args.c.rows, N = args.c.cols;
  const std::int64_t bytes = a.groups * panel_group_bytes(args.format);
  for (std::int64_t p = panels.begin; p < panels.end; ++p) {
    const Range columns{p * kQuantPanel, least((p + 1) * kQuantPanel, N)};
    const std::byte* panel = static_cast<const std::byte*>(args.packed_b) + p * bytes;
    for (std::int64_t row = 0; row < M; row += kQuantBlockRows) {
      const Range rows{row, least(row + kQuantBlockRows, M)};
      sum_block(args.format, a, rows, panel, sums);
      if (args.c.dtype == DType::bf16) {
        write_sums<Bf16>(args, rows, columns, bias, sums);
      } else {
        write_sums<float>(args, rows, columns, bias, sums);
      }
    }
  }
}

inline void quantized_product(const LaunchContext& ctx, const QuantizedProductArgs& args) {
  const QuantizedProductShape shape{args.c.rows, args.c.cols, args.a.cols, args.format};
  if (shape.m <= 0 || shape.n <= 0) return;
  FFN_ASSERT(args.a.rows == shape.m);
  FFN_ASSERT(args.a.dtype == DType::f32 || args.a.dtype == DType::bf16);
  FFN_ASSERT(ctx.workspace_bytes >= quantized_product_workspace(shape, thread_count(ctx)));
  const QuantLayout layout = quant_layout(shape);
  std::byte* at = ctx.workspace;
  const auto take = [&](std::int64_t bytes) {
    void* taken = at;
    at += bytes;
    return taken;
  };
  const std::int64_t groups = groups_of(args.format, shape.k);
  QuantRows a{};
  a.quants = static_cast<std::int8_t*>(take(layout.quants));
  a.scales = static_cast<float*>(take(layout.scales));
  a.starts = static_cast<std::int32_t*>(take(layout.scales));
  a.ld = groups * args.format.group;
  a.groups = groups;
  const float* bias = widen_bias(args.bias, shape.n, static_cast<float*>(take(layout.bias)));
  quantize_rows(ctx, args, a);
  const std::int64_t panels = ceil_div(shape.n, kQuantPanel);
  const std::int64_t work = shape.m * kQuantPanel * most(shape.k, 1);
  const std::int64_t parts =
      most(least(least(thread_count(ctx), panels), work * panels / kEnoughWork), 1);
  for_parts(ctx, parts, [&](std::int64_t part) {
    void* sums = at + part * layout.sums;
    run_panels(args, a, split(panels, 1, parts, part), bias, static_cast<float*>(sums));
  });
}

}  // namespace

void fill_quantized_product(KernelTable& table) {
  table.quantized_product = quantized_product;
  table.quantized_product_workspace = quantized_product_workspace;
  table.pack_quantized = pack_quantized;
  table.packed_quantized_bytes = packed_quantized_bytes;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
