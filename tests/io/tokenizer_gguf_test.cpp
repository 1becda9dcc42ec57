// Vocabularies as GGUF files hold them: made of the fixtures', they give the same ids; one with
// scores gives those of SentencePiece (tests/fixtures/make_sentence_piece.py). Lies are named.
#include <nlohmann/json.hpp>

#include "ffn/io/tokenizer/gguf_vocabulary.h"
#include "io/files.h"
#include "io/tokenizer_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using nlohmann::json;

// The lists that the views of a GgufVocabulary look into.
struct Lists {
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;
  std::vector<std::int32_t> types;

  std::unique_ptr<const Tokenizer> make(GgufVocabulary vocabulary) const {
    const std::vector<std::string_view> token_views(tokens.begin(), tokens.end());
    const std::vector<std::string_view> merge_views(merges.begin(), merges.end());
    vocabulary.tokens = token_views;
    vocabulary.merges = merge_views;
    vocabulary.scores = scores;
    vocabulary.token_types = types;
    return make_gguf_tokenizer(vocabulary, "evil");
  }
};

// Of tokenizers/NAME.json. Word pieces are renamed as GGUF names them.
Lists lists_of(const std::string& name, bool word_piece) {
  const json file = read_tokenizer_json(name + ".json");
  const json& model = file.at("model");
  Lists lists;
  lists.tokens.resize(model.at("vocab").size());
  lists.types.assign(lists.tokens.size(), 1);
  for (const json& token : file.at("added_tokens"))
    lists.types[token.at("id").get<std::size_t>()] = 3;
  for (const auto& [token, id] : model.at("vocab").items()) {
    const auto at = id.get<std::size_t>();
    std::string named = token;
    if (word_piece && lists.types[at] == 1)
      named = token.starts_with("##") ? token.substr(2) : "\xE2\x96\x81" + token;
    lists.tokens[at] = named;
  }
  for (const json& merge : model.value("merges", json::array()))
    lists.merges.push_back(merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  return lists;
}

struct Kind {
  const char* fixture;
  const char* pre;
};

class GgufByteLevel : public testing::TestWithParam<Kind> {};

TEST_P(GgufByteLevel, IdsAreTheLibrarys) {
  const auto [fixture, pre] = GetParam();
  const auto tokenizer = lists_of(fixture, false).make({.model = "gpt2", .pre = pre});
  const json expected = read_tokenizer_json(std::string(fixture) + ".ids.json");
  const json& plain = expected.at("plain").is_null() ? expected.at("ids") : expected.at("plain");
  const auto texts = tokenizer_texts();
  ASSERT_EQ(texts.size(), plain.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(ids_of(*tokenizer, texts[i], {}), plain.at(i).get<Ids>()) << texts[i];
}

INSTANTIATE_TEST_SUITE_P(All, GgufByteLevel,
                         testing::Values(Kind{"gpt2", "gpt-2"}, Kind{"smollm", "smollm"},
                                         Kind{"llama3", "llama-bpe"}, Kind{"qwen2", "qwen2"}),
                         [](const auto& param) { return std::string(param.param.fixture); });

TEST(GgufVocabulary, WordPiece) {
  const auto tokenizer =
      lists_of("bert", true)
          .make(
              {.model = "bert", .bos_token_id = 2, .unknown_token_id = 1, .separator_token_id = 3});
  const json expected = read_tokenizer_json("bert.ids.json");
  const auto texts = tokenizer_texts();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = expected.at("ids").at(i).get<Ids>();
    EXPECT_EQ(ids_of(*tokenizer, texts[i], {}), ids) << texts[i];
    EXPECT_EQ(tokenizer->decode(ids, false), expected.at("decoded").at(i).get<std::string>());
  }
}

TEST(GgufVocabulary, ScoresAsSentencePiece) {
  const json file = read_tokenizer_json("sentencepiece.json");
  Lists lists;
  lists.tokens = file.at("tokens").get<std::vector<std::string>>();
  lists.scores = file.at("scores").get<std::vector<float>>();
  lists.types = file.at("token_types").get<std::vector<std::int32_t>>();
  const auto texts = tokenizer_texts();
  int compared = 0;
  for (const bool prefix : {true, false}) {
    const auto tokenizer = lists.make({.model = "llama",
                                       .bos_token_id = 1,
                                       .eos_token_id = 2,
                                       .unknown_token_id = 0,
                                       .add_space_prefix = prefix});
    const json& ids = file.at(prefix ? "ids_prefix" : "ids");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (ids.at(i).is_null()) continue;
      const auto want = ids.at(i).get<Ids>();
      // SentencePiece does not look for control tokens in a text.
      EXPECT_EQ(ids_of(*tokenizer, texts[i], {.add_special = false, .parse_special = false}), want)
          << texts[i];
      Ids with_bos = {1};
      with_bos.insert(with_bos.end(), want.begin(), want.end());
      EXPECT_EQ(ids_of(*tokenizer, texts[i], {.parse_special = false}), with_bos);
      ++compared;
    }
  }
  EXPECT_GT(compared, 200);
}

// Two digits merge into one token, but not across the groups of three that "default" makes.
TEST(GgufVocabulary, ByDefaultDigitsComeInThrees) {
  Lists lists = lists_of("gpt2", false);
  lists.tokens.insert(lists.tokens.end(), {"42", "44"});
  lists.types.resize(lists.tokens.size(), 1);
  lists.merges.insert(lists.merges.begin(), {"4 2", "4 4"});
  const auto tokenizer = lists.make({.model = "gpt2", .pre = ""});
  const auto id = [&](std::string_view token) { return tokenizer->find(token).value(); };
  EXPECT_EQ(ids_of(*tokenizer, "244244", {}), (Ids{id("2"), id("44"), id("2"), id("44")}));
  EXPECT_EQ(ids_of(*tokenizer, "42", {}), (Ids{id("42")}));
}

TEST(GgufVocabulary, LiesAreNamed) {
  const Lists good = lists_of("gpt2", false);
  const auto refuse = [&](std::initializer_list<std::string_view> says, const GgufVocabulary& file,
                          const auto& change) {
    Lists lists = good;
    change(lists);
    expect_error(ErrorKind::io, says, [&] { lists.make(file); });
  };
  const auto nothing = [](Lists&) {};
  const GgufVocabulary gpt2{.model = "gpt2", .pre = "gpt-2"};
  refuse({"[evil]", "of the kind 'rwkv'", "known are gpt2, llama, bert"}, {.model = "rwkv"},
         nothing);
  refuse({"as 'gpt-9' does", "known are default gpt-2"}, {.model = "gpt2", .pre = "gpt-9"},
         nothing);
  refuse({"has no tokens"}, gpt2, [](Lists& lists) { lists.tokens.clear(); });
  refuse({"has 1 token types"}, gpt2, [](Lists& lists) { lists.types.resize(1); });
  refuse({"has 2 scores"}, gpt2, [](Lists& lists) { lists.scores.resize(2); });
  refuse({"token 5 has the unknown type 7"}, gpt2, [](Lists& lists) { lists.types[5] = 7; });
  refuse({"token 9 ('\\x0a\xff') is no UTF-8"}, gpt2,
         [](Lists& lists) { lists.tokens[9] = "\n\xff"; });
  refuse({"appears twice"}, gpt2, [](Lists& lists) { lists.tokens[9] = lists.tokens[8]; });
  refuse({"merge 1 ('ab') is no pair"}, gpt2, [](Lists& lists) { lists.merges[1] = "ab"; });
  refuse({"merge 0", "names 'qqqqq', which is not in the vocabulary"}, gpt2,
         [](Lists& lists) { lists.merges[0] = "a qqqqq"; });
  for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{100'000}, std::int64_t{1} << 40}) {
    refuse({"first (bos) token has the id " + std::to_string(id), "outside the vocabulary"},
           {.model = "gpt2", .pre = "gpt-2", .bos_token_id = id}, nothing);
    refuse({"last (eos) token"}, {.model = "gpt2", .pre = "gpt-2", .eos_token_id = id}, nothing);
    refuse({"end-of-turn token"}, {.model = "gpt2", .pre = "gpt-2", .eot_token_id = id}, nothing);
    refuse({"unknown token"}, {.model = "bert", .unknown_token_id = id}, nothing);
  }
  refuse({"adds a first (bos) token to every text but names none"},
         {.model = "gpt2", .pre = "gpt-2", .add_bos_token = true}, nothing);
  refuse({"has no scores"}, {.model = "llama"}, nothing);
  refuse({"a score that is no number"}, {.model = "llama"}, [](Lists& lists) {
    lists.scores.assign(lists.tokens.size(), 0.f);
    lists.scores[7] = std::numeric_limits<float>::quiet_NaN();
  });
  refuse({"the unknown token '[UNK]' is not in the vocabulary"}, {.model = "bert"}, nothing);
}

TEST(GgufVocabulary, SpecialTokens) {
  const auto tokenizer = lists_of("smollm", false)
                             .make({.model = "gpt2",
                                    .pre = "smollm",
                                    .bos_token_id = 1,
                                    .eos_token_id = 0,
                                    .add_bos_token = true});
  EXPECT_EQ(tokenizer->separator(), 1);
  EXPECT_TRUE(tokenizer->special().ends_answer(2)) << "<|im_end|>";
  EXPECT_TRUE(tokenizer->special().ends_answer(0)) << "eos";
  EXPECT_FALSE(tokenizer->special().ends_answer(1));
  EXPECT_EQ(tokenizer->find("<|im_end|>"), 2);
  EXPECT_EQ(ids_of(*tokenizer, "<|im_end|>", {}), (Ids{1, 2}));
  EXPECT_GT(ids_of(*tokenizer, "<|im_end|>", {.parse_special = false}).size(), 5u);
}

}  // namespace
}  // namespace ffn
