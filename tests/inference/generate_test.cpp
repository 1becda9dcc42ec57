// Text that goes on: each id follows from all before it, and the text ends where it should.
#include "ffn/inference/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ffn/base/error.h"
#include "inference/small_decoder.h"

namespace ffn {
namespace {

using namespace testing_inference;

class Generate : public testing::Test {
 protected:
  std::unique_ptr<ThreadPool> pool_ = make_thread_pool(2);
  Executor ex_{cpu_device(*pool_)};
  SmallDecoder small_{ex_};

  Generated go_on(const std::vector<std::int32_t>& prompt, const GenerateOptions& options,
                  std::int64_t bound = 700) {
    DecoderCache cache = small_.cache(bound);
    return generate(ex_, small_.model, cache, prompt, options);
  }
};

TEST_F(Generate, TakesTheLikeliestAfterTheWholeText) {
  const std::vector<std::int32_t> prompt = some_text(5);
  const Generated generated = go_on(prompt, {.max_tokens = 12});
  ASSERT_EQ(generated.ids.size(), 12u);
  EXPECT_EQ(generated.end, GenerateEnd::max_tokens);
  EXPECT_EQ(generated.prompt_tokens, 5);
  std::vector<std::int32_t> text = prompt;
  for (const std::int32_t id : generated.ids) {
    const std::vector<double> row = small_.logits(text).back();
    EXPECT_EQ(id, std::ranges::max_element(row) - row.begin()) << "after " << text.size();
    text.push_back(id);
  }
}

// More than one piece of the prompt.
TEST_F(Generate, ReadsALongPromptInPieces) {
  const std::vector<std::int32_t> prompt = some_text(kPromptPiece + 77);
  const std::vector<double> row = small_.logits(prompt).back();
  EXPECT_EQ(go_on(prompt, {.max_tokens = 1}).ids,
            std::vector{static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin())});
}

TEST_F(Generate, GoesOnFromWhatTheCacheHolds) {
  const std::vector<std::int32_t> prompt = some_text(9);
  const GenerateOptions options{.max_tokens = 6, .sampler = {.temperature = 1, .seed = 3}};
  const Generated whole = go_on(prompt, options);
  DecoderCache cache = small_.cache(40);
  const std::span<const std::int32_t> all(prompt);
  generate(ex_, small_.model, cache, all.first(4), {.max_tokens = 1});
  EXPECT_EQ(cache.tokens(), 4);
  EXPECT_EQ(generate(ex_, small_.model, cache, all.subspan(4), options).ids, whole.ids);
  EXPECT_EQ(cache.tokens(), 9 + 5);
}

TEST_F(Generate, Ends) {
  const std::vector<std::int32_t> prompt = some_text(5);
  const Generated free = go_on(prompt, {.max_tokens = 8});
  const Generated stopped = go_on(prompt, {.max_tokens = 8, .stop_ids = {free.ids[3]}});
  EXPECT_EQ(stopped.end, GenerateEnd::stop_id);
  const auto first = std::ranges::find(free.ids, free.ids[3]) - free.ids.begin();
  EXPECT_EQ(stopped.ids, std::vector<std::int32_t>(free.ids.begin(), free.ids.begin() + first));
  // Room for the prompt and two more; the third needs none.
  const Generated full = go_on(prompt, {.max_tokens = 8}, 7);
  EXPECT_EQ(full.end, GenerateEnd::cache_full);
  EXPECT_EQ(full.ids, std::vector<std::int32_t>(free.ids.begin(), free.ids.begin() + 3));
  DecoderCache cache = small_.cache(40);
  int seen = 0;
  const Generated interrupted = generate(ex_, small_.model, cache, prompt, {.max_tokens = 8},
                                         [&](std::int32_t) { return ++seen < 2; });
  EXPECT_EQ(interrupted.end, GenerateEnd::interrupted);
  EXPECT_EQ(interrupted.ids.size(), 2u);
}

TEST_F(Generate, RefusesWhatCannotBe) {
  EXPECT_THROW(go_on({}, {}), Error);
  EXPECT_THROW(go_on({0, kVocabulary}, {}), Error);
  EXPECT_THROW(go_on(some_text(8), {}, 7), Error);
  EXPECT_THROW(go_on({0}, {.sampler = {.top_p = 0}}), Error);
}

}  // namespace
}  // namespace ffn
