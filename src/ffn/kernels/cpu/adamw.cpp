// AdamW over flat f32 vectors.
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/pointwise.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_adamw(KernelTable& table);

namespace {

// The scalars of one step, rounded to f32 once; differences are taken in double first.
struct Constants {
  explicit Constants(const AdamWArgs& args)
      : beta1(round(args.beta1)),
        beta2(round(args.beta2)),
        rest1(round(1 - args.beta1)),
        rest2(round(1 - args.beta2)),
        gradient_scale(round(args.gradient_scale)),
        step_size(round(args.learning_rate / args.correction1)),
        inverse2(round(1 / args.correction2)),
        eps(round(args.eps)),
        decay(round(args.learning_rate * args.weight_decay)) {}
  static Vec round(double x) { return set(static_cast<float>(x)); }

  Vec beta1, beta2, rest1, rest2, gradient_scale, step_size, inverse2, eps, decay;
};

struct Pointers {
  float *weight, *first, *second;
  const float* gradient;
};

void update(std::int64_t n, const Pointers& at, const Constants& k) {
  const auto moments = [&](Vec m, Vec v, Vec gradient) {
    const Vec g = gradient * k.gradient_scale;
    return Pair{fma(k.beta1, m, k.rest1 * g), fma(k.beta2, v, k.rest2 * g * g)};
  };
  const auto step = [&](Vec w, Vec m, Vec v) {
    const Vec change = k.step_size * m / (sqrt(v * k.inverse2) + k.eps);
    return fnma(k.decay, w, w) - change;
  };
  const float *weight = at.weight, *first = at.first, *second = at.second;
  map_pair(n, at.first, at.second, moments, first, second, at.gradient);
  map(n, at.weight, step, weight, first, second);
}

void adamw(const LaunchContext& ctx, const AdamWArgs& args) {
  FFN_ASSERT(args.weight.dtype == DType::f32 && args.weight.rows == 1);
  FFN_ASSERT(args.first_moment.dtype == DType::f32 && args.second_moment.dtype == DType::f32);
  const Constants constants(args);
  auto* weight = static_cast<float*>(args.weight.data);
  auto* first = static_cast<float*>(args.first_moment.data);
  auto* second = static_cast<float*>(args.second_moment.data);
  Grid(args.weight).run(ctx, [&] {
    return [&, gradient = Reader(args.gradient),
            shadow = Writer(args.shadow)](const Segment& at) mutable {
      update(at.n,
             {weight + at.col, first + at.col, second + at.col, gradient.read(0, at.col, at.n)},
             constants);
      if (!shadow.present()) return;
      float* rounded = shadow.begin(0, at.col);
      map(at.n, rounded, [](Vec w) { return w; }, static_cast<const float*>(weight) + at.col);
      shadow.end(0, at.col, at.n);
    };
  });
}

}  // namespace

void fill_adamw(KernelTable& table) { table.adamw = adamw; }

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
