#include "ffn/feedforward/moe/lora_map.h"

#include <cmath>
#include <utility>

#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/router_losses.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {

LoraMap::LoraMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                 std::int64_t out, std::int64_t in)
    : lora_(site.lora.value()), tap_(std::string(part) + ".router") {
  if (lora_.attached != nullptr) lora_.attached->emplace_back(part);
  const std::string name = site.name(part);
  const std::int64_t E = lora_.experts, R = lora_.rank;
  // Kaiming's uniform with a = √5, of fan-in `in`.
  const Init uniform{Init::Kind::uniform, 0, 1 / std::sqrt(static_cast<double>(in))};
  router_ =
      &parameters.add(name + ".router.weight", {E, in}, {.full_precision = true, .init = uniform});
  a_ = &parameters.add(name + ".lora_a.weight", {E * R, in}, {.init = uniform});
  b_ = &parameters.add(name + ".lora_b.weight", {out, E * R});
}

Value LoraMap::forward(Executor& ex, const Value& x, const TokenRows& rows) const {
  const std::int64_t N = x.rows(), E = lora_.experts, R = lora_.rank;
  const DType statistics = gradient_dtype(x.dtype());
  Value gate = softmax(ex, linear(ex, cast(ex, x, statistics), ex.parameter(*router_)));  // [N, E]
  gate = ex.tap(tap_, std::move(gate));
  if (ex.training() && lora_.balance > 0)
    gate =
        importance_loss(ex, std::move(gate), rows.types, rows.sequences, lora_.delta, lora_.balance)
            .value;
  Value inner = linear(ex, x, ex.parameter(*a_));  // [N, E·R]
  inner = scale_rows(ex, reshape(ex, std::move(inner), {N * E, R}),
                     reshape(ex, std::move(gate), {N * E, 1}));
  Value sum = linear(ex, reshape(ex, std::move(inner), {N, E * R}), ex.parameter(*b_));
  return scale(ex, std::move(sum), static_cast<float>(lora_.alpha / static_cast<double>(R)));
}

std::int64_t LoraMap::parameters(const LoraSite& lora, std::int64_t out, std::int64_t in) {
  return lora.experts * (in + lora.rank * (in + out));
}

}  // namespace ffn::inline v0
