// tokenizer.json made by hand to mislead: each must end in an Error{io} that says what is wrong.
// Every truncation is noticed, every flipped bit is an error or a tokenizer that still keeps its
// promises.
#include <chrono>

#include "ffn/io/tokenizer/characters.h"
#include "ffn/io/tokenizer/pattern.h"
#include "ffn/io/tokenizer/stream_decoder.h"
#include "ffn/io/tokenizer/tokenizer_json.h"
#include "ffn/io/tokenizer/utf8.h"
#include "io/files.h"
#include "io/tokenizer_files.h"

namespace ffn {
namespace {

using namespace testing_io;

std::unique_ptr<const Tokenizer> parse(std::string_view text, const TokenizerConfig& config = {}) {
  return parse_tokenizer_json(to_bytes(text), "evil", config);
}

constexpr std::string_view kModel =
    R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})";

std::string with(std::string_view more) {
  return "{" + std::string(more) + "," + std::string(kModel) + "}";
}

std::string with_model(std::string_view model) {
  return "{\"model\":{" + std::string(model) + "}}";
}

struct Hostile {
  std::string_view name;
  std::string text;
  std::string_view says;
};

const std::vector<Hostile>& hostile() {
  static const std::vector<Hostile> files = {
      {"empty", "", "is empty (0 bytes)"},
      {"no_json", "{\"model\" 1}", "is no valid JSON at byte 10"},
      {"list", "[]", "is no JSON object"},
      {"page", "<!DOCTYPE html>", "is an HTML page"},
      {"zero", std::string("{}\0", 3), "zero byte"},
      {"twice", "{\"model\":1,\"model\":2}", "has the key 'model' twice"},
      {"deep", "{\"normalizer\":" + std::string(100'000, '['), "nests deeper than 32 levels"},
      {"no_model", "{}", "lacks the key 'model'"},
      {"unknown_key", with(R"("pre_tokeniser":null)"), "has the key 'pre_tokeniser'"},
      {"version", with(R"("version":"2.0")"), "version '2.0'"},
      {"unigram", with_model(R"("type":"Unigram","vocab":[])"), "has the type 'Unigram'"},
      {"id_negative", with_model(R"("type":"BPE","vocab":{"a":-1},"merges":[])"),
       "gives 'a' an id"},
      {"id_float", with_model(R"("type":"BPE","vocab":{"a":1.5},"merges":[])"), "gives 'a' an id"},
      {"id_huge", with_model(R"("type":"BPE","vocab":{"a":2000000000},"merges":[])"),
       "the id 2000000000, expected 0 to 65537"},
      {"id_twice", with_model(R"("type":"BPE","vocab":{"a":0,"b":0},"merges":[])"),
       "the same id 0"},
      {"token_twice", with_model(R"("type":"BPE","vocab":{"a":0,"a":1},"merges":[])"), "'a' twice"},
      {"merge_unknown", with_model(R"("type":"BPE","vocab":{"a":0},"merges":[["a","x"]])"),
       "merge 0 ('a', 'x') names 'x'"},
      {"merge_to_unknown", with_model(R"("type":"BPE","vocab":{"a":0},"merges":[["a","a"]])"),
       "names 'aa'"},
      {"merge_one", with_model(R"("type":"BPE","vocab":{"a":0},"merges":["a"])"), "no pair"},
      {"merge_three", with_model(R"("type":"BPE","vocab":{"a":0},"merges":["a a a"])"), "no pair"},
      {"merge_short",
       with_model(
           R"("type":"BPE","continuing_subword_prefix":"###","vocab":{"a":0},"merges":[["a","a"]])"),
       "is shorter than the prefix '###'"},
      {"unknown_token", with_model(R"("type":"BPE","unk_token":"?","vocab":{"a":0},"merges":[])"),
       "the unknown token '?' is not in the vocabulary"},
      {"dropout", with_model(R"("type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[])"),
       "dropout"},
      {"word_piece_unknown",
       with_model(
           R"("type":"WordPiece","unk_token":"?","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"a":0})"),
       "the unknown token '?'"},
      {"normalizer", with(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":""})"),
       "tokenizer.normalizer has the type 'Precompiled'"},
      {"normalizer_key", with(R"("normalizer":{"type":"NFC","x":1})"), "has the key 'x'"},
      {"pre_tokenizer", with(R"("pre_tokenizer":{"type":"UnicodeScripts"})"), "'UnicodeScripts'"},
      {"inner",
       with(
           R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"?"}]})"),
       "tokenizer.pre_tokenizer.pretokenizers[1] has the type '?'"},
      {"behavior",
       with(
           R"("pre_tokenizer":{"type":"Split","pattern":{"String":"a"},"behavior":"Gone","invert":false})"),
       "unknown behavior 'Gone'"},
      {"pattern",
       with(
           R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated","invert":false})"),
       "no regular expression"},
      {"pattern_long",
       with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":")" + std::string(9000, 'a') +
            R"("},"behavior":"Isolated","invert":false})"),
       "a pattern of 9000 bytes, at most 8192"},
      {"pattern_nested",
       with(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":")" + std::string(4000, '(') +
            std::string(4000, ')') + R"("},"behavior":"Isolated","invert":false})"),
       "no regular expression"},
      {"pattern_both",
       with(
           R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"a","String":"a"},"behavior":"Isolated","invert":false})"),
       "is not one of String and Regex"},
      {"decoder", with(R"("decoder":{"type":"CTC"})"), "tokenizer.decoder has the type 'CTC'"},
      {"metaspace", with(R"("decoder":{"type":"Metaspace","replacement":"ab"})"),
       "not one character"},
      {"processor", with(R"("post_processor":{"type":"?"})"),
       "tokenizer.post_processor has the type '?'"},
      {"template_without_text",
       with(
           R"("post_processor":{"type":"TemplateProcessing","single":[],"pair":[],"special_tokens":{}})"),
       "holds the text 0 times"},
      {"template_unknown",
       with(
           R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s","type_id":0}}],"pair":[],"special_tokens":{}})"),
       "uses 's', which is none of its special_tokens"},
      {"special_outside",
       with(R"("post_processor":{"type":"BertProcessing","sep":["s",7],"cls":["c",0]})"),
       "the post-processor's token has the id 7, which is no token of the vocabulary of 3"},
      {"added_id",
       with(
           R"("added_tokens":[{"id":9,"content":"x","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}])"),
       "gives 'x' the id 9, expected 3"},
      {"added_empty",
       with(
           R"("added_tokens":[{"id":3,"content":"","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}])"),
       "has no content"},
      {"huge_number", with_model(R"("type":"BPE","vocab":{"a":99999999999999999999},"merges":[])"),
       "gives 'a' an id"},
  };
  return files;
}

TEST(TokenizerHostile, EveryLieIsNamed) {
  for (const Hostile& file : hostile()) {
    SCOPED_TRACE(file.name);
    expect_error(ErrorKind::io, {"[evil]", file.says}, [&] { parse(file.text); });
  }
  expect_error(ErrorKind::io, {"names '<s>' as first token of a text, which is no token here"}, [] {
    parse(with(R"("version":"1.0")"), {.bos = "<s>", .eos = {}, .chat_template = {}});
  });
  EXPECT_EQ(ids_of(*parse(with(R"("version":"1.0")")), "abba", {}), (Ids{2, 1, 0}));
}

TEST(TokenizerHostile, CatastrophicPatternsGiveUp) {
  // (a+)+$ on a run of a's takes 2^n steps.
  const Pattern pattern("(?:a+)+$", "evil");
  std::vector<Match> matches;
  std::string text(4000, 'a');
  text.push_back('b');
  const auto start = std::chrono::steady_clock::now();
  expect_error(ErrorKind::io, {"[evil]", "gives up on 4001 bytes of text"},
               [&] { pattern.find(text, matches); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// Steps grow by n log n: eight times the text may take at most twenty times as long, and each is
// far below what a quadratic method would need.
TEST(TokenizerHostile, LongWordsAreNotQuadratic) {
  const auto tokenizer = parse(with(R"("version":"1.0")"));
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += i % 3 == 2 ? 'b' : 'a';
  EXPECT_EQ(ids_of(*tokenizer, text, {}).size(), 666'667u);
  std::string marks = "a";
  for (int i = 0; i < 200'000; ++i) marks += i % 2 == 0 ? "\xCC\x81" : "\xCC\xA3";
  EXPECT_EQ(to_normal_form(marks, NormalForm::nfd).size(), marks.size());
}

// A tokenizer that was accepted encodes and decodes without breaking its promises.
bool keeps_promises(const Bytes& file) {
  try {
    const auto tokenizer = parse_tokenizer_json(file, "damaged");
    try {
      Ids ids = ids_of(*tokenizer, "ab <s>12 \xC3\xA9!\xF0\x9F\x98\x80  ", {});
      for (const std::int32_t id : ids) {
        EXPECT_GE(id, 0);
        EXPECT_LT(id, tokenizer->vocabulary());
      }
      const std::string text = tokenizer->decode(ids, true);
      EXPECT_EQ(valid_utf8(text), text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    }
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

TEST(TokenizerHostile, DamageIsAnErrorOrHarmless) {
  const Bytes good = to_bytes(
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":9,"content":"<s>","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true}],)"
      R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Replace","pattern":{"Regex":" +"},"content":" "}]},)"
      R"("pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\s"},"behavior":"MergedWithNext","invert":true},{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}]},)"
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[9],"tokens":["<s>"]}}},)"
      R"("decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Strip","content":" ","start":1,"stop":0}]},)"
      R"("model":{"type":"BPE","unk_token":"?","fuse_unk":true,"byte_fallback":true,"vocab":{"?":0,"a":1,"b":2,"ab":3,"_":4,"_ab":5,"1":6,"<0xC3>":7,"<0xA9>":8},"merges":[["a","b"],["_","ab"]]}})");
  EXPECT_TRUE(keeps_promises(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(
        keeps_promises(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))))
        << "cut to " << size;
  int accepted = 0;
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    Bytes flipped = good;
    flipped[i / 8] ^= static_cast<std::byte>(1u << i % 8);
    accepted += keeps_promises(flipped) ? 1 : 0;
  }
  // Names of tokens, patterns and contents may change; most of the file may not.
  EXPECT_LT(accepted, static_cast<int>(2 * good.size()));
}

TEST(TokenizerConfig, NamesAreTextsOrObjects) {
  const auto config = parse_tokenizer_config(
      to_bytes(
          R"({"bos_token":{"content":"<s>","lstrip":false},"eos_token":"</s>","chat_template":"x","model_max_length":1e30})"),
      "evil");
  EXPECT_EQ(config.bos, "<s>");
  EXPECT_EQ(config.eos, "</s>");
  EXPECT_EQ(config.chat_template, "x");
  expect_error(ErrorKind::io, {"'bos_token' that is no text"},
               [] { parse_tokenizer_config(to_bytes(R"({"bos_token":1})"), "evil"); });
}

TEST(Tokenizer, FoldersAreRead) {
  const TemporaryFolder folder;
  write_file(folder / "tokenizer.json", read_file(tokenizer_fixture("smollm.json")));
  EXPECT_FALSE(read_tokenizer_folder(folder.path().string())->special().bos);
  write_file(folder / "tokenizer_config.json",
             to_bytes(R"({"bos_token":"<|im_start|>","eos_token":"<|im_end|>"})"));
  const auto tokenizer = read_tokenizer_folder(folder.path().string());
  EXPECT_EQ(tokenizer->separator(), 1);
  EXPECT_EQ(tokenizer->special().eos, 2);
  expect_error(ErrorKind::io, {"outside the vocabulary"},
               [&] { tokenizer->decode(std::vector<std::int32_t>{100'000}, false); });
}

TEST(Tokenizer, BytesRoundTrip) {
  const Tokenizer& bytes = byte_tokenizer();
  EXPECT_EQ(bytes.separator(), 0);
  EXPECT_EQ(ids_of(bytes, "a\xC3\xA9", {}), (Ids{0x61, 0xC3, 0xA9}));
  EXPECT_EQ(bytes.decode(Ids{0, 0x61, 0xC3}, true), "a\xEF\xBF\xBD");
  expect_error(ErrorKind::io, {"byte 0 at offset 1"},
               [&] { ids_of(bytes, std::string_view("a\0b", 3), {}); });
}

// "bc" merges first; the pair (a, b) that was seen before is then (a, bc), which becomes "abc".
TEST(Tokenizer, PairsWhoseNeighbourMergedAreNewPairs) {
  const auto tokenizer = parse(with_model(
      R"("type":"BPE","vocab":{"a":0,"b":1,"c":2,"bc":3,"ab":4,"abc":5},"merges":["b c","a b","a bc"])"));
  EXPECT_EQ(ids_of(*tokenizer, "abcab", {}), (Ids{5, 4}));
}

// What a character's bytes bring is held back until it is whole, but not for ever.
TEST(StreamDecoder, HoldsBackHalfCharacters) {
  StreamDecoder stream(byte_tokenizer());
  EXPECT_EQ(stream.next(0x61), "a");
  EXPECT_EQ(stream.next(0xE2), "");
  EXPECT_EQ(stream.next(0x82), "");
  EXPECT_EQ(stream.next(0xAC), "\xE2\x82\xAC");
  EXPECT_EQ(stream.next(0xFF), "");
  EXPECT_EQ(stream.next(0x62),
            "\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(stream.next(0xF0), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.finish(), "");
  std::string text;
  for (int i = 0; i < 100; ++i) text += stream.next(0xFF);
  EXPECT_GE(text.size(), 3u * 84);
}

// Broken parts as Python's errors="replace" has them (the fixtures compare the rest).
TEST(Utf8, BrokenPartsBecomeReplacements) {
  const std::string r(kReplacementCharacter);
  EXPECT_EQ(valid_utf8("a\xF0\x9F\x98z"), "a" + r + "z");
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), r + r + r);
  EXPECT_EQ(valid_utf8("\xC0\xAF\xE0\x80"), r + r + r + r);
  EXPECT_EQ(valid_utf8("\xF4\x8F\xBF\xBF"), "\xF4\x8F\xBF\xBF");
}

}  // namespace
}  // namespace ffn
