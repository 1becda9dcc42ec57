#include "ffn/train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "ffn/base/timer.h"
#include "ffn/io/safetensors.h"
#include "ffn/tensor/host.h"
#include "ffn/train/batches.h"

namespace ffn::inline v0 {
namespace {

// Adds one block's rows: the class of the largest logit (ties to the lower), and −log softmax.
void add_rows(std::span<const float> logits, std::span<const std::int32_t> labels, Score& score,
              ScoreDetail* detail) {
  const std::size_t V = logits.size() / labels.size();
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0) continue;
    const auto scores = logits.subspan(row * V, V);
    const auto best = std::ranges::max_element(scores);
    double sum = 0;
    for (const float logit : scores) sum += std::exp(static_cast<double>(logit - *best));
    const auto label = static_cast<std::size_t>(labels[row]);
    const auto predicted = static_cast<std::size_t>(best - scores.begin());
    const double loss = std::log(sum) + static_cast<double>(*best - scores[label]);
    score.loss += loss;
    score.right += predicted == label ? 1 : 0;
    ++score.count;
    if (detail == nullptr) continue;
    detail->right.push_back(predicted == label ? 1 : 0);
    detail->counts.push_back(1);
    detail->losses.push_back(loss);
  }
}

// The tensor's elements as a file takes them.
SafetensorsSource source_of(const char* name, const Tensor& tensor) {
  return {
      name, DType::f32, {tensor.rows(), tensor.cols()}, std::as_bytes(host_span<float>(tensor))};
}

}  // namespace

Score evaluate(const Classifier& classifier, const ImageSet& set, const PixelStatistics& statistics,
               ScoreDetail* detail, ExpertWatch* experts) {
  EvalBatches batches(classifier.executor(), set, statistics, kEvalBlock);
  Score score;
  std::vector<float> logits;
  for (std::int64_t block = 0; block < batches.blocks(); ++block) {
    const Stopwatch watch;
    batches.fill(block);
    if (experts != nullptr) experts->begin_pass(batches.labels());
    const Tensor found = classifier.logits(batches.images());
    if (classifier.executor().dry()) continue;
    const std::vector<double> values = host_values(found);
    if (detail != nullptr) detail->block_ms.push_back(watch.elapsed_ms());
    logits.assign(values.begin(), values.end());
    add_rows(logits, host_span<std::int32_t>(batches.labels()), score, detail);
  }
  if (score.count > 0) score.loss /= static_cast<double>(score.count);
  return score;
}

void write_logits(const Classifier& classifier, const ImageSet& set,
                  const PixelStatistics& statistics, const std::string& path) {
  EvalBatches batches(classifier.executor(), set, statistics, std::min(set.count, kEvalBlock));
  batches.fill(0);
  const Tensor logits = classifier.logits(batches.images());
  const SafetensorsSource sources[] = {source_of("images", batches.images()),
                                       source_of("logits", logits)};
  write_safetensors(path, sources);
}

}  // namespace ffn::inline v0
