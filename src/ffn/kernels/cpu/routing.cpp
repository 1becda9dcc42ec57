// Top-K routing of rows to experts.
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"
#include "ffn/kernels/indexing.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_routing(KernelTable& table);

namespace {

struct Choice {
  float logit;
  std::int64_t expert;  // −1: none yet
};

// The choice after `last` in the order of falling logit, then rising index. NaN counts as −∞, so
// that every call finds an expert.
Choice next_choice(Reader& logits, std::int64_t row, std::int64_t E, const Choice& last) {
  Choice best{-__builtin_inff(), -1};
  for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
    const float* values = logits.read(row, col, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const float value = values[i] == values[i] ? values[i] : -__builtin_inff();
      const std::int64_t expert = col + i;
      const bool later =
          last.expert < 0 || value < last.logit || (value == last.logit && expert > last.expert);
      if (later && (best.expert < 0 || value > best.logit)) best = {value, expert};
    }
  });
  return best;
}

float exp_of(float x) {
  float result;
  store_n(&result, exp_flushed(load_n(&x, 1)), 1);
  return result;
}

void route_row(const RouteTopKForwardArgs& args, std::int64_t row, Reader& logits,
               Writer& weights) {
  std::int32_t* chosen = args.expert + row * args.k;
  Choice choice{0, -1};
  float max = 0, total = 0;
  for (std::int64_t k = 0; k < args.k; ++k) {
    choice = next_choice(logits, row, args.logits.cols, choice);
    chosen[k] = static_cast<std::int32_t>(choice.expert);
    const float logit = logits.element(row, choice.expert);
    if (k == 0) max = logit;
    total += exp_of(logit - max);
  }
  for (std::int64_t k = 0; k < args.k; ++k) {
    weights.put(row, k, exp_of(logits.element(row, chosen[k]) - max) / total);
  }
}

// Counting sort of the slots by expert; stable, so slots of one expert stay in order. offsets
// serves as the write positions, which end one expert too far and are moved back.
void sort_slots(const RouteTopKForwardArgs& args) {
  const std::int64_t slots = args.logits.rows * args.k, E = args.logits.cols;
  std::int32_t* offsets = args.offsets;
  for (std::int64_t e = 0; e <= E; ++e) offsets[e] = 0;
  for (std::int64_t slot = 0; slot < slots; ++slot) ++offsets[args.expert[slot] + 1];
  for (std::int64_t e = 0; e < E; ++e) offsets[e + 1] += offsets[e];
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const std::int32_t position = offsets[args.expert[slot]]++;
    args.order[position] = static_cast<std::int32_t>(slot);
    args.token[position] = static_cast<std::int32_t>(slot / args.k);
  }
  for (std::int64_t e = E; e > 0; --e) offsets[e] = offsets[e - 1];
  offsets[0] = 0;
}

void route_top_k_forward(const LaunchContext& ctx, const RouteTopKForwardArgs& args) {
  FFN_ASSERT(args.k >= 1 && args.k <= args.logits.cols);
  const std::int64_t work = args.logits.cols * args.k;
  for_row_ranges(ctx, args.logits.rows, work, [&](std::int64_t begin, std::int64_t end) {
    Reader logits(args.logits);
    Writer weights(args.weights);
    for (std::int64_t row = begin; row < end; ++row) route_row(args, row, logits, weights);
  });
  sort_slots(args);
}

void route_top_k_backward(const LaunchContext& ctx, const RouteTopKBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const std::int64_t K = args.weights.cols, E = args.dlogits.to.cols;
  for_row_ranges(ctx, args.weights.rows, E, [&](std::int64_t begin, std::int64_t end) {
    Reader weights(args.weights), dweights(args.dweights);
    Writer dlogits(args.dlogits);
    for (std::int64_t row = begin; row < end; ++row) {
      float dot = 0;
      for (std::int64_t k = 0; k < K; ++k) {
        dot += weights.element(row, k) * dweights.element(row, k);
      }
      if (!args.dlogits.accumulate) {
        for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
          fill_with(n, dlogits.begin(row, col), 0);
          dlogits.end(row, col, n);
        });
      }
      for (std::int64_t k = 0; k < K; ++k) {
        const float slope = weights.element(row, k) * (dweights.element(row, k) - dot);
        dlogits.put(row, args.expert[row * K + k], slope);
      }
    }
  });
}

}  // namespace

void fill_routing(KernelTable& table) {
  table.route_top_k_forward = route_top_k_forward;
  table.route_top_k_backward = route_top_k_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
