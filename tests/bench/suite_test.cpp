#include "ffn/bench/suite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;

constexpr const char* kGood = R"json({
  "schema": 1, "suite": "sample", "about": "three kinds",
  "cases": [
    {"kind": "product", "name": "p", "form": "nn", "m": [1, 8], "n": 64, "k": 40, "dtype": "bf16",
     "b": "q8_0", "c": "f32"},
    {"kind": "layer", "name": "l", "design": "dwconv(gelu, k=3)", "width": 24, "rows": 20,
     "tokens": 10, "grid": [3, 3, 1], "dtype": ["f32", "bf16"], "pass": "backward",
     "memory": ["store", "recompute"], "bias": true},
    {"kind": "train", "name": "t", "model": "lm-pico", "design": "glu(silu)", "vocabulary": 256,
     "context": 16, "batch": 4}]})json";

TEST(Suite, ListsStandForACaseEach) {
  const BenchSuite suite = parse_suite(kGood, "sample.json");
  EXPECT_EQ(suite.name, "sample");
  std::vector<std::string> names;
  for (const BenchCase& c : suite.cases) names.push_back(c.name);
  EXPECT_EQ(names, (std::vector<std::string>{"p/m1", "p/m8", "l/f32/store", "l/f32/recompute",
                                             "l/bf16/store", "l/bf16/recompute", "t"}));
  const auto& product = std::get<ProductCase>(suite.cases[1].work);
  EXPECT_EQ(product.form, kernels::ProductForm::nn);
  EXPECT_EQ(product.m, 8);
  EXPECT_EQ(product.a, DType::bf16);
  EXPECT_EQ(product.b, DType::q8_0);
  EXPECT_EQ(product.c, DType::f32);
  const auto& layer = std::get<LayerCase>(suite.cases[5].work);
  EXPECT_EQ(layer.dtype, DType::bf16);
  EXPECT_EQ(layer.memory, MemoryMode::recompute);
  EXPECT_EQ(layer.pass, Pass::backward);
  EXPECT_EQ(layer.grid.rows(), 10);
  EXPECT_TRUE(layer.bias);
  EXPECT_FALSE(layer.causal);
  EXPECT_EQ(std::get<TrainCase>(suite.cases[6].work).context, 16);
}

TEST(Suite, CasesAreNamedInWords) {
  const BenchSuite suite = parse_suite(kGood, "sample.json");
  EXPECT_EQ(kind_of(suite.cases[0]), "product");
  EXPECT_EQ(shape_text(suite.cases[0]), "nn 1×64×40");
  EXPECT_EQ(dtype_text(suite.cases[0]), "bf16·q8_0→f32");
  EXPECT_EQ(pass_text(suite.cases[0]), "");
  EXPECT_EQ(shape_text(suite.cases[3]), "dwconv(gelu, k=3) at 24");
  EXPECT_EQ(pass_text(suite.cases[3]), "backward, recompute");
  EXPECT_EQ(rows_of(suite.cases[3]), 20);
  EXPECT_EQ(shape_text(suite.cases[6]), "lm-pico with glu(silu)");
  EXPECT_EQ(rows_of(suite.cases[6]), 4);
  // A bf16 row on blocks is multiplied in f32.
  EXPECT_EQ(arithmetic_dtype(suite.cases[0]), DType::f32);
  EXPECT_EQ(arithmetic_dtype(suite.cases[4]), DType::bf16);
}

TEST(Suite, MistakesAreNamed) {
  const auto expect = [](std::string_view from, std::string_view to, std::string_view says) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    expect_error(ErrorKind::io, {"sample.json", says}, [&] { parse_suite(text, "sample.json"); });
  };
  expect("\"schema\": 1", "\"schema\": 2", "has schema 2");
  expect("\"about\"", "\"abuot\"", "lacks the key 'about'");
  expect("\"form\": \"nn\"", "\"frm\": \"nn\"", "'cases[0].form' is missing");
  expect("\"bias\"", "\"biass\"", "unknown key 'cases[1].biass'");
  expect("\"context\": 16", "\"contxt\": 16", "lacks the key 'cases[2].context'");
  expect("\"kind\": \"train\"", "\"kind\": \"trian\"",
         "'cases[2].kind' is 'trian'; expected one of");
  expect("\"kind\": \"layer\"", "\"kind\": 3", "'cases[1].kind' is no text");
  expect("\"nn\"", "\"tt\"", "'cases[0].form' is 'tt'");
  expect("\"n\": 64", "\"n\": 65", "'cases[0].b' is q8_0, which needs");
  expect("\"form\": \"nn\"", "\"form\": \"tn\", \"prepared\": true", "'cases[0].prepared'");
  expect("\"form\": \"nn\"", "\"form\": \"nn\", \"bits\": 8", "'cases[0].bits' is of form nt");
  expect("\"form\": \"nn\"", "\"form\": \"nt\", \"bits\": 5",
         "'cases[0].bits' is 5; expected 8 or 4");
  expect("\"form\": \"nn\"", "\"form\": \"nn\", \"group\": 32", "unknown key 'cases[0].group'");
  expect("[1, 8]", "[]", "'cases[0].m' is an empty array");
  expect("[1, 8]", "[1, 1]", "two cases named 'p/m1'");
  expect("[1, 8]", "0", "'cases[0].m' is 0; expected 1 to");
  expect("\"k\": 40", "\"k\": [40, 41]", "'cases[0].k' is no integer");
  expect("dwconv(gelu, k=3)", "dwcnv(gelu)",
         "'cases[1].design' cannot be measured: unknown design");
  expect("\"bias\": true", "\"routing\": \"zipf\"", "has no choice of experts");
  expect("lm-pico", "lm-picco", "'cases[2].model' cannot be measured: unknown model");
  expect("[3, 3, 1]", "[3, 3, 0]", "'cases[1].grid' is not that of 10 'tokens'");
  expect("[3, 3, 1]", "[3, 3]", "'cases[1].grid' is no [height, width, class tokens]");
  expect("\"rows\": 20", "\"rows\": 21", "'cases[1].rows' is 21, no multiple of 10");
  expect("\"pass\": \"backward\"", "\"pass\": \"forward\"", "'cases[1].memory' is recompute");
  expect("\"name\": \"t\"", "\"name\": \"\"", "'cases[2].name' is empty");
  expect("{\"kind\": \"train\"", "3, {\"kind\": \"train\"", "'cases[2].' is no object");
  const std::string none = R"({"schema": 1, "suite": "s", "about": "", "cases": []})";
  expect_error(ErrorKind::io, {"x.json", "has no cases"}, [&] { parse_suite(none, "x.json"); });
}

TEST(Suite, EveryFileOfTheProjectTravelsInTheLibrary) {
  std::vector<std::string> files, names;
  for (const auto& entry : std::filesystem::directory_iterator(FFN_BENCH_CASES)) {
    files.push_back(entry.path().stem().string());
    const BenchSuite read = read_suite(entry.path().string());
    EXPECT_EQ(read.name, files.back());
    EXPECT_EQ(read.cases.size(), embedded_suite(files.back()).cases.size()) << files.back();
    EXPECT_FALSE(read.about.empty()) << files.back();
  }
  for (const EmbeddedSuite& suite : embedded_suites()) names.emplace_back(suite.name);
  std::ranges::sort(files);
  EXPECT_EQ(names, files);
  for (const char* wanted :
       {"smoke", "ffn", "backward", "tiny", "moe", "decode", "train", "memory", "products"})
    EXPECT_EQ(std::ranges::count(names, wanted), 1) << wanted;
}

TEST(Suite, SelectionIsByAPartOfTheName) {
  const std::vector<BenchSuite> suites{embedded_suite("ffn"), embedded_suite("decode")};
  const auto all = select_cases(suites, "");
  EXPECT_EQ(all.size(), suites[0].cases.size() + suites[1].cases.size());
  const auto some = select_cases(suites, "decode/smollm2");
  ASSERT_EQ(some.size(), 4u);
  EXPECT_EQ(some[0].name, "smollm2/n1/f32");
  expect_error(ErrorKind::config, {"no case has 'smolm'"}, [&] { select_cases(suites, "smolm"); });
  expect_error(ErrorKind::config, {"unknown suite 'fnn', did you mean 'ffn'?"},
               [] { embedded_suite("fnn"); });
}

}  // namespace
}  // namespace ffn
