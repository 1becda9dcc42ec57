#include "ffn/inference/score_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/inference/generate.h"
#include "ffn/inference/ids_tensor.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"

namespace ffn::inline v0 {
namespace {

using Ids = std::span<const std::int32_t>;

ScoreOptions complete(const ScoreOptions& options, const DecoderConfig& config,
                      std::int64_t tokens) {
  check(tokens >= 2, ErrorKind::config, "score", "the text has ", tokens,
        " tokens; the second is the first that can be scored");
  ScoreOptions o = options;
  if (o.window == 0) o.window = std::min(config.tokens, kUsualWindow);
  check(o.window >= 2 && o.window <= config.tokens, ErrorKind::config, "score", "a window of ",
        o.window, " tokens; this model takes 2 to ", config.tokens);
  if (o.stride == 0) o.stride = o.window / 2;
  check(o.stride >= 1 && o.stride < o.window, ErrorKind::config, "score", "a stride of ", o.stride,
        "; with a window of ", o.window, " it must be 1 to ", o.window - 1);
  return o;
}

// Tokens that only others are foretold from.
void read_context(Executor& ex, const Decoder& model, DecoderCache& cache, Ids ids) {
  while (!ids.empty()) {
    const StepScope step(ex);
    const Ids piece = ids.first(std::min(ids.size(), static_cast<std::size_t>(kPromptPiece)));
    model.last_hidden(ex, ids_tensor(ex, piece), cache);
    ids = ids.subspan(piece.size());
  }
}

// Σ −ln p(next[i] | what the cache holds, ids[0 … i]).
double block_nats(Executor& ex, const Decoder& model, DecoderCache& cache, Ids ids, Ids next) {
  const StepScope step(ex);
  Value logits = cast(ex, model.all_logits(ex, ids_tensor(ex, ids), cache), DType::f32);
  const Value mean = cross_entropy(ex, std::move(logits), ids_tensor(ex, next));
  return ex.dry() ? 0
                  : static_cast<double>(host_span<float>(mean.tensor)[0]) *
                        static_cast<double>(ids.size());
}

// Of the mean per token, blocks being independent draws of nearly the same size.
double standard_error(std::span<const double> block_means) {
  const auto count = static_cast<double>(block_means.size());
  if (block_means.size() < 2) return 0;
  double mean = 0, squares = 0;
  for (const double value : block_means) mean += value / count;
  for (const double value : block_means) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1) / count);
}

}  // namespace

double TextScore::perplexity() const { return std::exp(nats / static_cast<double>(tokens)); }

TextScore score_text(Executor& ex, const Decoder& model, Ids ids, const ScoreOptions& options) {
  const auto total = static_cast<std::int64_t>(ids.size());
  const ScoreOptions o = complete(options, model.config(), total);
  const EvalScope scope(ex);
  DecoderCache cache(ex, model.config(), std::min(o.window, total), DType::f32);
  TextScore score;
  std::vector<double> means;
  // ids[i] foretells ids[i + 1]; the first `known` + 1 ids are foretold.
  std::int64_t known = 0;
  for (std::int64_t begin = 0; known < total - 1; begin += o.stride) {
    const std::int64_t end = std::min(begin + o.window, total - 1);
    if (end <= known) continue;
    const auto part = [&](std::int64_t from, std::int64_t to) {
      return ids.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    };
    cache.keep(0);
    read_context(ex, model, cache, part(begin, known));
    for (; known < end;) {
      const std::int64_t to = std::min(known + kScoreBlock, end);
      const double nats = block_nats(ex, model, cache, part(known, to), part(known + 1, to + 1));
      means.push_back(nats / static_cast<double>(to - known));
      score.nats += nats;
      known = to;
    }
  }
  score.tokens = total - 1;
  score.standard_error = standard_error(means);
  return score;
}

}  // namespace ffn::inline v0
