// Work split over the launch's threads, from inside an ISA source (see vec.h for the rules there).
#pragma once

#include <cstdint>

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

inline int thread_count(const LaunchContext& ctx) {
  return ctx.threads == nullptr ? 1 : ctx.threads->size();
}

// body(part) for every part in [0, parts), each on some thread; returns when all are done. Without
// a pool, or with one part, everything runs on the caller.
template <class Body>
void for_parts(const LaunchContext& ctx, std::int64_t parts, const Body& body) {
  if (ctx.threads == nullptr || parts <= 1) {
    for (std::int64_t part = 0; part < parts; ++part) body(part);
    return;
  }
  struct Job {
    const Body* body;
  } job{&body};
  ctx.threads->run(
      parts,
      [](void* context, std::int64_t part, int) {
        (*static_cast<const Job*>(context)->body)(part);
      },
      &job);
}

struct Range {
  std::int64_t begin, end;
};

// Piece `part` of `parts` of [0, count), cut at multiples of `grain`; sizes differ by at most one
// grain.
inline Range split(std::int64_t count, std::int64_t grain, std::int64_t parts, std::int64_t part) {
  const std::int64_t grains = (count + grain - 1) / grain;
  const std::int64_t begin = grains * part / parts * grain;
  const std::int64_t end = grains * (part + 1) / parts * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

// body(begin, end) over disjoint ranges that cover [0, count), cut at multiples of `grain`. At most
// one range per thread, and none smaller than `enough` (work below it is not worth waking a thread
// for). For results that do not depend on where the cuts are.
template <class Body>
void for_ranges(const LaunchContext& ctx, std::int64_t count, std::int64_t grain,
                std::int64_t enough, const Body& body) {
  if (count <= 0) return;
  const std::int64_t useful = enough > 0 ? (count + enough - 1) / enough : count;
  const std::int64_t threads = thread_count(ctx);
  const std::int64_t parts = useful < threads ? useful : threads;
  for_parts(ctx, parts, [&](std::int64_t part) {
    const Range range = split(count, grain, parts, part);
    if (range.begin < range.end) body(range.begin, range.end);
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
