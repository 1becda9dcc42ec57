// BERT against transformers' own: hidden states of packed texts, and sentence embeddings.
#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/io/checkpoint.h"
#include "ffn/models/bert.h"
#include "ffn/models/placed_weights.h"
#include "ffn/models/sentence_pooling.h"
#include "ffn/tensor/host.h"
#include "loaded_model.h"

namespace ffn::parity {
namespace {

constexpr DType kStored[] = {DType::f32, DType::bf16, DType::f16};

class BertParity : public testing::TestWithParam<std::tuple<Place, std::string>> {
 protected:
  const Place& place() const { return std::get<0>(GetParam()); }
  Fixture fixture() const { return model_fixture(std::get<1>(GetParam())); }
};

struct LoadedBert {
  LoadedBert(Executor& ex, const std::string& folder, DType dtype)
      : model(read_bert_config(folder), parameters, standard_designs()) {
    place_weights(ex, WeightFile(*open_checkpoint(folder)), model.stored_weights(), parameters,
                  dtype, bert_harmless_names());
    parameters.finalize(ex, dtype, false);
  }
  ParameterSet parameters;
  Bert model;
};

TEST_P(BertParity, TextsOfDifferentLength) {
  const Fixture file = fixture();
  for (const DType stored : kStored) {
    const testing_io::TemporaryFolder folder;
    write_folder(file, folder.path(), stored);
    Executor ex(place().device());
    const LoadedBert loaded(ex, folder.path().string(), place().dtype());
    const EvalScope scope(ex);
    CaseRun inputs(ex, file, place().dtype());
    const Tensor offsets = inputs.index("offsets");
    const Value hidden =
        loaded.model.hidden(ex, inputs.index("ids"), offsets, inputs.index("types"));
    const auto expect = [&](const char* name, const Value& found) {
      double allowed = std::min(1e-5, tolerance(file, name, place()));
      // Numbers below 2^-14 have fewer than 8 bits in f16.
      if (stored == DType::f16) allowed = std::max(allowed, 1e-6);
      // √D and its inverse are f32 there, also on the reference.
      if (place().reference && std::string_view(name) != "out.hidden")
        allowed = std::max(allowed, 4 * 0x1p-24);
      expect_close(file.at(name), host_values(found.tensor), allowed, name);
    };
    expect("out.hidden", hidden);
    expect("out.mean", pool_sentences(ex, hidden, offsets, {}));
    expect("out.first",
           pool_sentences(ex, hidden, offsets, {SentencePooling::Mode::first_token, true}));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, BertParity,
                         testing::Combine(testing::ValuesIn(places()),
                                          testing::Values("bert", "bert_relu")),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "_" + std::get<1>(test.param);
                         });

TEST(Bert, ConfigurationIsWrittenAsItWasRead) {
  const testing_io::TemporaryFolder folder;
  write_folder(model_fixture("bert_relu"), folder.path());
  const std::string json = bert_config_json(read_bert_config(folder.path().string()));
  EXPECT_EQ(bert_config_json(parse_bert_config(json, "config.json")), json);
}

TEST(Bert, TooLongTextsAreNamed) {
  const testing_io::TemporaryFolder folder;
  write_folder(model_fixture("bert"), folder.path());
  Executor ex(cpu_device(serial_pool()));
  const LoadedBert loaded(ex, folder.path().string(), DType::f32);
  const EvalScope scope(ex);
  const Tensor ids = ex.allocate_persistent({{8}, DType::i32, Role::activation}, Tag::data);
  const Tensor offsets = ex.allocate_persistent({{2}, DType::i32, Role::activation}, Tag::data);
  std::ranges::fill(host_span<std::int32_t>(ids), 1);
  host_span<std::int32_t>(offsets)[0] = 0;
  host_span<std::int32_t>(offsets)[1] = 8;
  try {
    loaded.model.hidden(ex, ids, offsets);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "[bert] text 0 has 8 tokens; this model takes 7");
  }
}

TEST(Bert, SentenceFoldersSayHowToPool) {
  const testing_io::TemporaryFolder folder;
  const std::string path = folder.path().string();
  const auto write = [&](const char* name, std::string_view text) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    testing_io::write_file(folder.path() / name, testing_io::to_bytes(std::string(text)));
  };
  EXPECT_TRUE(read_sentence_pooling(path).normalise);
  write("sentence_bert_config.json", R"({"max_seq_length": 256, "do_lower_case": false})");
  write("modules.json",
        R"([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])");
  write("1_Pooling/config.json", R"({"word_embedding_dimension": 16, "pooling_mode_cls_token": true,
    "pooling_mode_mean_tokens": false})");
  const SentencePooling pooling = read_sentence_pooling(path);
  EXPECT_EQ(pooling.mode, SentencePooling::Mode::first_token);
  EXPECT_FALSE(pooling.normalise);
  EXPECT_EQ(pooling.tokens, 256);
  write("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})");
  EXPECT_THROW(read_sentence_pooling(path), Error);
  write("modules.json", R"([{"path": "../1", "type": "sentence_transformers.models.Pooling"}])");
  EXPECT_THROW(read_sentence_pooling(path), Error);
  write("modules.json", R"([{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}])");
  EXPECT_THROW(read_sentence_pooling(path), Error);
}

}  // namespace
}  // namespace ffn::parity
