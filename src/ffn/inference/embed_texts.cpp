#include "ffn/inference/embed_texts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/inference/ids_tensor.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {
namespace {

using Texts = std::span<const SentenceIds>;

std::vector<Texts> batches_of(Texts texts, const EmbedOptions& options) {
  check(options.batch >= 1, ErrorKind::config, "embed", "a batch of ", options.batch,
        " texts; expected at least 1");
  std::vector<Texts> batches;
  while (!texts.empty()) {
    batches.push_back(texts.first(std::min(texts.size(), static_cast<std::size_t>(options.batch))));
    texts = texts.subspan(batches.back().size());
  }
  return batches;
}

// A batch's vectors [S, D] in f32; on a dry device sizes alone.
Value embed_batch(Executor& ex, const LoadedEncoder& encoder, const SentencePooling& pooling,
                  std::span<const std::int32_t> ids, std::span<const std::int32_t> offsets) {
  const Tensor starts = ids_tensor(ex, offsets);
  const Value hidden = encoder.bert().hidden(ex, ids_tensor(ex, ids), starts);
  return cast(ex, pool_sentences(ex, hidden, starts, pooling), DType::f32);
}

std::size_t rows_of(Texts batch) {
  std::size_t rows = 0;
  for (const SentenceIds& text : batch) rows += text.ids.size();
  return rows;
}

}  // namespace

std::vector<float> embed_texts(Executor& ex, const LoadedEncoder& encoder,
                               const SentencePooling& pooling, Texts texts,
                               const EmbedOptions& options,
                               const std::function<bool(std::int64_t)>& on_batch) {
  const EvalScope scope(ex);
  std::vector<float> rows;
  rows.reserve(texts.size() * static_cast<std::size_t>(encoder.bert().config().width));
  std::int64_t done = 0;
  std::vector<std::int32_t> ids, offsets;
  for (const Texts batch : batches_of(texts, options)) {
    ids.clear();
    offsets.assign(1, 0);
    for (const SentenceIds& text : batch) {
      ids.insert(ids.end(), text.ids.begin(), text.ids.end());
      offsets.push_back(static_cast<std::int32_t>(ids.size()));
    }
    const StepScope step(ex);
    const Value made = embed_batch(ex, encoder, pooling, ids, offsets);
    const std::span<const float> values = host_span<float>(made.tensor);
    rows.insert(rows.end(), values.begin(), values.end());
    done += std::ssize(batch);
    if (on_batch && !on_batch(done)) break;
  }
  return rows;
}

InferencePlan plan_embedding(const Device& device, const EncoderFiles& files, DType compute,
                             Texts texts, const EmbedOptions& options) {
  std::size_t most_rows = 0, most_texts = 0;
  for (const Texts batch : batches_of(texts, options)) {
    most_rows = std::max(most_rows, rows_of(batch));
    most_texts = std::max(most_texts, batch.size());
  }
  Executor ex(dry_device(device));
  const LoadedEncoder encoder(ex, files, compute);
  const EvalScope scope(ex);
  const std::vector<std::int32_t> ids(most_rows), offsets(most_texts + 1);
  if (most_rows > 0) {
    const StepScope step(ex);
    embed_batch(ex, encoder, files.pooling, ids, offsets);
  }
  const auto result = std::ssize(texts) * files.config.width;
  return {encoder.bytes().mapped,
          ex.report().peak_bytes + static_cast<std::int64_t>(sizeof(float)) * result,
          encoder.bytes().copied};
}

std::vector<float> cosine_similarities(std::span<const float> x, std::int64_t D) {
  const auto width = static_cast<std::size_t>(D);
  const std::size_t S = x.size() / width;
  const auto dot = [&](std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t d = 0; d < width; ++d)
      sum += static_cast<double>(x[i * width + d]) * static_cast<double>(x[j * width + d]);
    return sum;
  };
  std::vector<double> lengths(S);
  for (std::size_t i = 0; i < S; ++i) lengths[i] = std::sqrt(dot(i, i));
  std::vector<float> similarities(S * S);
  for (std::size_t i = 0; i < S; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double scale = lengths[i] * lengths[j];
      const double cosine = scale > 0 ? std::clamp(dot(i, j) / scale, -1.0, 1.0) : 0;
      similarities[i * S + j] = similarities[j * S + i] = static_cast<float>(cosine);
    }
  }
  return similarities;
}

}  // namespace ffn::inline v0
