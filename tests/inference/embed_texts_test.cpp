// A text has one vector, whatever stands beside it; long texts are cut as sentence-transformers
// cuts them; what it takes is known before weights are read.
#include "ffn/inference/embed_texts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "inference/small_encoder.h"

namespace ffn {
namespace {

using namespace testing_inference;
using testing_io::expect_error;

// Letters that repeat after a while, `count` of them.
std::string letters(int count, int first) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += std::string(i > 0 ? " " : "") + static_cast<char>('a' + (i * i + first) % kLetters);
  return text;
}

class EmbedTexts : public testing::Test {
 protected:
  std::vector<SentenceIds> texts(const EncoderFiles& files) const {
    std::vector<SentenceIds> made;
    for (const int count : {3, 1, 17, 8, 2, 22, 5, 1, 9})
      made.push_back(sentence_ids(files, letters(count, count)));
    return made;
  }
  std::vector<float> embed(Executor& ex, const EncoderFiles& files,
                           std::span<const SentenceIds> texts, std::int64_t batch) const {
    const LoadedEncoder encoder(ex, files, DType::f32);
    return embed_texts(ex, encoder, files.pooling, texts, {batch});
  }

  std::unique_ptr<ThreadPool> pool_ = make_thread_pool(1);
  Executor ex_{cpu_device(*pool_)};
  SmallEncoder small_{ex_};
};

TEST_F(EmbedTexts, NoTextSeesAnother) {
  const EncoderFiles files = open_encoder_files(small_.path());
  const std::vector<SentenceIds> all = texts(files);
  const std::vector<float> together = embed(ex_, files, all, 32);
  ASSERT_EQ(together.size(), all.size() * 16);
  for (const std::int64_t batch : {std::int64_t{1}, std::int64_t{4}}) {
    const std::vector<float> found = embed(ex_, files, all, batch);
    ASSERT_EQ(found.size(), together.size());
    // Vectors of length 1; the roundings of two layers, 2^-24 each, in other orders.
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], together[i], 16 * 0x1p-24);
  }
  double squares = 0, apart = 0;
  for (std::size_t d = 0; d < 16; ++d) {
    squares += static_cast<double>(together[d]) * static_cast<double>(together[d]);
    apart += std::abs(static_cast<double>(together[d]) - static_cast<double>(together[16 + d]));
  }
  EXPECT_NEAR(squares, 1, 1e-6);
  EXPECT_GT(apart, 0.1);
}

TEST_F(EmbedTexts, ThreadsChangeNoBit) {
  const EncoderFiles files = open_encoder_files(small_.path());
  const std::vector<SentenceIds> all = texts(files);
  const auto pool = make_thread_pool(3);
  Executor three(cpu_device(*pool));
  EXPECT_EQ(embed(ex_, files, all, 32), embed(three, files, all, 32));
}

TEST_F(EmbedTexts, StopsWhenAsked) {
  const EncoderFiles files = open_encoder_files(small_.path());
  const LoadedEncoder encoder(ex_, files, DType::f32);
  std::vector<std::int64_t> seen;
  const auto rows =
      embed_texts(ex_, encoder, files.pooling, texts(files), {4}, [&](std::int64_t done) {
        seen.push_back(done);
        return done < 8;
      });
  EXPECT_EQ(seen, (std::vector<std::int64_t>{4, 8}));
  EXPECT_EQ(rows.size(), 8u * 16);
}

TEST_F(EmbedTexts, LongTextsAreCutBehindTheirFirstTokens) {
  small_.write("sentence_bert_config.json", R"({"max_seq_length": 6, "do_lower_case": false})");
  const EncoderFiles files = open_encoder_files(small_.path());
  EXPECT_EQ(files.tokens, 6);
  const SentenceIds cut = sentence_ids(files, "a b c d e f a b");
  EXPECT_TRUE(cut.cut);
  EXPECT_EQ(cut.ids, (std::vector<std::int32_t>{2, 4, 5, 6, 7, 3}));
  const SentenceIds whole = sentence_ids(files, "A b? d");
  EXPECT_FALSE(whole.cut);
  EXPECT_EQ(whole.ids, (std::vector<std::int32_t>{2, 4, 5, 1, 7, 3}));
  EXPECT_EQ(sentence_ids(files, "a [SEP] b").ids, (std::vector<std::int32_t>{2, 4, 3, 5, 3}));
}

TEST_F(EmbedTexts, TheModelsOwnBoundHoldsToo) {
  small_.write("sentence_bert_config.json", R"({"max_seq_length": 4096})");
  EXPECT_EQ(open_encoder_files(small_.path()).tokens, 24);
  small_.write("sentence_bert_config.json", R"({"max_seq_length": 2})");
  expect_error(ErrorKind::io, {"texts of 2 tokens", "room for one"},
               [&] { open_encoder_files(small_.path()); });
}

TEST_F(EmbedTexts, ADefaultPromptStandsBeforeEveryText) {
  small_.write("config_sentence_transformers.json",
               R"({"prompts": {"query": "f ", "other": "e "}, "default_prompt_name": "query"})");
  const EncoderFiles files = open_encoder_files(small_.path());
  EXPECT_EQ(sentence_ids(files, "a b").ids, (std::vector<std::int32_t>{2, 9, 4, 5, 3}));
  small_.write("config_sentence_transformers.json",
               R"({"prompts": {"query": "f "}, "default_prompt_name": null})");
  EXPECT_EQ(sentence_ids(open_encoder_files(small_.path()), "a b").ids,
            (std::vector<std::int32_t>{2, 4, 5, 3}));
}

TEST_F(EmbedTexts, IsPlannedToTheByte) {
  const EncoderFiles files = open_encoder_files(small_.path());
  const std::vector<SentenceIds> all = texts(files);
  for (const std::int64_t batch : {std::int64_t{32}, std::int64_t{2}}) {
    const InferencePlan plan = plan_embedding(ex_.device(), files, DType::f32, all, {batch});
    Executor ex(cpu_device(*pool_));
    const auto result =
        static_cast<std::int64_t>(embed(ex, files, all, batch).size() * sizeof(float));
    const PlacedBytes placed = LoadedEncoder(ex_, files, DType::f32).bytes();
    EXPECT_EQ(plan.mapped_bytes, placed.mapped);
    EXPECT_EQ(plan.copied_bytes, placed.copied);
    EXPECT_LE(ex.report().peak_bytes + result, plan.own_bytes);
    if (batch == 32) {
      EXPECT_EQ(ex.report().peak_bytes + result, plan.own_bytes);
    }
  }
}

TEST_F(EmbedTexts, NamesWhatDoesNotFit) {
  const auto open = [&] { open_encoder_files(small_.path()); };
  const EncoderFiles files = open_encoder_files(small_.path());
  expect_error(ErrorKind::config, {"empty"}, [&] { sentence_ids(files, " \n"); });
  expect_error(ErrorKind::config, {"batch of 0"}, [&] { embed(ex_, files, texts(files), 0); });
  expect_error(ErrorKind::io, {"is a file", "ffn run"},
               [&] { open_encoder_files(small_.path() + "/config.json"); });
  small_.write("sentence_bert_config.json", R"({"max_seq_length": 8, "do_lower_case": true})");
  expect_error(ErrorKind::io, {"do_lower_case"}, open);
  small_.write("sentence_bert_config.json", R"({"max_seq_length": 8})");
  small_.write("modules.json",
               R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
                   {"path": "1", "type": "sentence_transformers.models.LSTM"}])");
  expect_error(ErrorKind::io, {"LSTM"}, open);
  small_.write("config.json", R"({"model_type": "llama"})");
  expect_error(ErrorKind::io, {"'llama'", "ffn run"}, open);
}

TEST(CosineSimilarities, AreThoseOfAnglesKnown) {
  const std::vector<float> x{3, 4, 4, -3, 6, 8, 0, 0, -3, -4};
  const std::vector<float> expected{1, 0,  1, 0, -1, 0, 1, 0,  0, 0,  1, 0, 1,
                                    0, -1, 0, 0, 0,  0, 0, -1, 0, -1, 0, 1};
  EXPECT_EQ(cosine_similarities(x, 2), expected);
}

}  // namespace
}  // namespace ffn
