#include "ffn/inference/generate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/inference/ids_tensor.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {
namespace {

using Clock = std::chrono::steady_clock;

double ms_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

// At least one id. The logits are in f32.
std::vector<float> next_logits(Executor& ex, const Decoder& model, DecoderCache& cache,
                               std::span<const std::int32_t> ids) {
  const EvalScope scope(ex);
  while (static_cast<std::int64_t>(ids.size()) > kPromptPiece) {
    const StepScope step(ex);
    model.last_hidden(ex, ids_tensor(ex, ids.first(kPromptPiece)), cache);
    ids = ids.subspan(kPromptPiece);
  }
  const StepScope step(ex);
  const Value logits = cast(ex, model.last_logits(ex, ids_tensor(ex, ids), cache), DType::f32);
  if (ex.dry()) return {};
  const auto values = host_span<float>(logits.tensor);
  return {values.begin(), values.end()};
}

}  // namespace

Generated generate(Executor& ex, const Decoder& model, DecoderCache& cache,
                   std::span<const std::int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(std::int32_t)>& on_id) {
  check(!prompt.empty(), ErrorKind::config, "generate",
        "the prompt is empty; a text goes on from at least one token");
  Sampler sampler(options.sampler);
  Generated out;
  out.prompt_tokens = static_cast<std::int64_t>(prompt.size());
  const Clock::time_point start = Clock::now();
  Clock::time_point first = start;
  std::vector<float> logits = next_logits(ex, model, cache, prompt);
  for (std::int64_t step = 0; step < options.max_tokens; ++step) {
    const std::int32_t id = sampler.choose(logits, static_cast<std::uint64_t>(step));
    if (step == 0) first = Clock::now();
    if (std::ranges::find(options.stop_ids, id) != options.stop_ids.end()) {
      out.end = GenerateEnd::stop_id;
      break;
    }
    out.ids.push_back(id);
    if (on_id && !on_id(id)) {
      out.end = GenerateEnd::interrupted;
      break;
    }
    if (step + 1 == options.max_tokens) break;
    if (cache.tokens() == cache.bound()) {
      out.end = GenerateEnd::cache_full;
      break;
    }
    logits = next_logits(ex, model, cache, std::span(&id, 1));
  }
  out.prompt_ms = ms_between(start, first);
  out.decode_ms = ms_between(first, Clock::now());
  return out;
}

}  // namespace ffn::inline v0
