// The score of a text is that of its tokens one by one, whatever the windows cut.
#include "ffn/inference/score_text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ffn/base/error.h"
#include "inference/small_decoder.h"

namespace ffn {
namespace {

using namespace testing_inference;

double nats_of(const std::vector<double>& logits, std::int32_t id) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return std::log(sum) - logits[static_cast<std::size_t>(id)];
}

class ScoreText : public testing::Test {
 protected:
  std::unique_ptr<ThreadPool> pool_ = make_thread_pool(1);
  Executor ex_{cpu_device(*pool_)};
  SmallDecoder small_{ex_};

  // Each token from at most `window` tokens before it, windows beginning at multiples of `stride`.
  double expected(const std::vector<std::int32_t>& text, std::size_t window, std::size_t stride) {
    double nats = 0;
    std::size_t known = 0;
    for (std::size_t begin = 0; known + 1 < text.size(); begin += stride) {
      const std::size_t end = std::min(begin + window, text.size() - 1);
      const auto rows = small_.logits({text.begin() + static_cast<std::ptrdiff_t>(begin),
                                       text.begin() + static_cast<std::ptrdiff_t>(end)});
      for (; known < end; ++known) nats += nats_of(rows[known - begin], text[known + 1]);
    }
    return nats;
  }
};

TEST_F(ScoreText, IsTheSumOverTokens) {
  const std::vector<std::int32_t> text = some_text(200);
  for (const auto& [window, stride] :
       {std::pair<std::int64_t, std::int64_t>{300, 150}, {199, 100}, {80, 33}, {64, 63}, {2, 1}}) {
    const TextScore score = score_text(ex_, small_.model, text, {window, stride});
    const double nats =
        expected(text, static_cast<std::size_t>(window), static_cast<std::size_t>(stride));
    EXPECT_EQ(score.tokens, 199);
    EXPECT_NEAR(score.nats, nats, 1e-4 * nats) << window << " by " << stride;
    EXPECT_NEAR(score.perplexity(), std::exp(nats / 199), 1e-4 * std::exp(nats / 199));
    EXPECT_GT(score.standard_error, 0);
  }
}

TEST_F(ScoreText, TakesTheUsualWindow) {
  const std::vector<std::int32_t> text = some_text(100);
  EXPECT_EQ(score_text(ex_, small_.model, text, {}).nats,
            score_text(ex_, small_.model, text, {700, 350}).nats);
}

TEST_F(ScoreText, RefusesWhatCannotBeScored) {
  const std::vector<std::int32_t> text = some_text(20);
  const auto score = [&](const std::vector<std::int32_t>& ids, const ScoreOptions& options) {
    return score_text(ex_, small_.model, ids, options);
  };
  EXPECT_THROW(score({3}, {}), Error);
  EXPECT_THROW(score(text, {1, 0}), Error);
  EXPECT_THROW(score(text, {701, 0}), Error);
  EXPECT_THROW(score(text, {10, 10}), Error);
}

}  // namespace
}  // namespace ffn
