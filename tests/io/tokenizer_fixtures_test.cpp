// Every id and every decoded text of the fixtures, which the tokenizers library made
// (tests/fixtures/make_tokenizers.py).
#include <nlohmann/json.hpp>

#include "ffn/io/tokenizer/stream_decoder.h"
#include "ffn/io/tokenizer/tokenizer_json.h"
#include "ffn/io/tokenizer/utf8.h"
#include "io/files.h"
#include "io/tokenizer_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using nlohmann::json;
class TokenizerFixtures : public testing::TestWithParam<const char*> {
 protected:
  const std::vector<std::string> texts_ = tokenizer_texts();
  const json expected_ = read_tokenizer_json(std::string(GetParam()) + ".ids.json");
  const std::unique_ptr<const Tokenizer> tokenizer_ = parse_tokenizer_json(
      read_file(tokenizer_fixture(std::string(GetParam()) + ".json")), GetParam());

  void SetUp() override {
    ASSERT_GT(texts_.size(), 100u);
    ASSERT_EQ(expected_.at("ids").size(), texts_.size());
  }
  std::string key_or(const char* map, std::size_t i, const std::string& otherwise) const {
    const json& differing = expected_.at(map);
    const std::string key = std::to_string(i);
    return differing.contains(key) ? differing.at(key).get<std::string>() : otherwise;
  }
};

TEST_P(TokenizerFixtures, IdsAreTheLibrarys) {
  const json& plain = expected_.at("plain").is_null() ? expected_.at("ids") : expected_.at("plain");
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    SCOPED_TRACE("text " + std::to_string(i) + ": " + texts_[i]);
    const auto want = plain.at(i).get<Ids>();
    EXPECT_EQ(ids_of(*tokenizer_, texts_[i], {}), expected_.at("ids").at(i).get<Ids>());
    EXPECT_EQ(ids_of(*tokenizer_, texts_[i], {.add_special = false}), want);
    const json& strangers = expected_.at("stranger");
    const std::string key = std::to_string(i);
    EXPECT_EQ(ids_of(*tokenizer_, texts_[i], {.add_special = false, .parse_special = false}),
              strangers.contains(key) ? strangers.at(key).get<Ids>() : want);
  }
}

TEST_P(TokenizerFixtures, DecodedTextsAreTheLibrarys) {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    SCOPED_TRACE("text " + std::to_string(i));
    const auto ids = expected_.at("ids").at(i).get<Ids>();
    const auto decoded = expected_.at("decoded").at(i).get<std::string>();
    EXPECT_EQ(tokenizer_->decode(ids, false), decoded);
    EXPECT_EQ(tokenizer_->decode(ids, true), key_or("decoded_skip", i, decoded));
  }
}

// Pieces are whole characters, and together the text. Runs of byte tokens that are no UTF-8 are the
// exception: what they become depends on the whole run, which a stream cannot await.
TEST_P(TokenizerFixtures, StreamsAreTheText) {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    SCOPED_TRACE("text " + std::to_string(i));
    const auto ids = expected_.at("ids").at(i).get<Ids>();
    const std::string whole = tokenizer_->decode(ids, false);
    StreamDecoder stream(*tokenizer_, false);
    std::string text;
    for (const std::int32_t id : ids) {
      const std::string piece = stream.next(id);
      EXPECT_EQ(valid_utf8(piece), piece);
      text += piece;
    }
    text += stream.finish();
    if (whole.find(kReplacementCharacter) == std::string::npos) {
      EXPECT_EQ(text, whole);
    }
    EXPECT_EQ(valid_utf8(text), text);
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerFixtures,
                         testing::Values("gpt2", "smollm", "llama3", "qwen2", "roberta", "llama2",
                                         "gemma", "bert", "bert_cased", "metaspace", "clip",
                                         "prefixed", "added"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace ffn
