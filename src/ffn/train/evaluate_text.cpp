#include "ffn/train/evaluate_text.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/timer.h"
#include "ffn/tensor/host.h"
#include "ffn/train/measure.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kEvalIds = 16'384;  // in one block

// Of one document: sums over its predictions.
struct DocumentScore {
  double nats = 0;
  std::int32_t right = 0;
};

void add_piece(std::span<const float> logits, std::span<const std::int32_t> targets,
               DocumentScore& document) {
  const std::size_t V = logits.size() / targets.size();
  for (std::size_t row = 0; row < targets.size() && targets[row] >= 0; ++row) {
    const auto scores = logits.subspan(row * V, V);
    const auto best = std::ranges::max_element(scores);
    double sum = 0;
    for (const float logit : scores) sum += std::exp(static_cast<double>(logit - *best));
    const auto target = static_cast<std::size_t>(targets[row]);
    document.nats += std::log(sum) + static_cast<double>(*best - scores[target]);
    document.right += static_cast<std::size_t>(best - scores.begin()) == target ? 1 : 0;
  }
}

// The sums of all documents, in their order.
Score score_of(const std::vector<DocumentScore>& documents, const TextSet& set,
               ScoreDetail& detail) {
  Score score;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    detail.right.push_back(documents[i].right);
    detail.counts.push_back(set.bytes[i]);
    detail.losses.push_back(documents[i].nats);
    score.right += documents[i].right;
    score.count += set.bytes[i];
    score.loss += documents[i].nats;
  }
  if (score.count > 0) score.loss /= static_cast<double>(score.count);
  score.standard_error = document_standard_error(detail.losses, detail.counts);
  return score;
}

}  // namespace

std::int64_t text_eval_sequences(std::int64_t tokens) {
  return std::max<std::int64_t>(1, kEvalIds / tokens);
}

Score evaluate_text(const LanguageModel& model, const TextSet& set, std::int64_t documents,
                    ScoreDetail* detail, ExpertWatch* experts) {
  Executor& ex = model.executor();
  const std::int64_t T = model.model().config().tokens, block = text_eval_sequences(T);
  TextEvalBatches batches(ex, set, documents, T, block);
  std::vector<DocumentScore> sums(static_cast<std::size_t>(documents));
  ScoreDetail found;
  const auto ids = static_cast<std::size_t>(T);
  for (std::int64_t b = 0; b < batches.blocks(); ++b) {
    const Stopwatch watch;
    batches.fill(b);
    if (experts != nullptr) experts->begin_pass(batches.targets());
    const Tensor logits = model.logits(batches.ids(), T);
    if (ex.dry()) continue;
    const std::span<const float> values = host_span<float>(logits);
    found.block_ms.push_back(watch.elapsed_ms());
    const std::size_t row = ids * static_cast<std::size_t>(logits.cols());
    const std::span<const std::int32_t> targets = host_span<std::int32_t>(batches.targets());
    for (std::int64_t piece = 0; piece < block; ++piece) {
      const std::int64_t document = batches.document_of(piece);
      if (document < 0) break;
      const auto p = static_cast<std::size_t>(piece);
      add_piece(values.subspan(p * row, row), targets.subspan(p * ids, ids),
                sums[static_cast<std::size_t>(document)]);
    }
  }
  if (ex.dry()) return {};
  const Score score = score_of(sums, set, found);
  if (detail != nullptr) *detail = std::move(found);
  return score;
}

}  // namespace ffn::inline v0
