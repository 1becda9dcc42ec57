// The folder of a sentence encoder with a vocabulary of letters, as sentence-transformers writes
// it.
#pragma once

#include <string>
#include <vector>

#include "ffn/autograd/initialize.h"
#include "ffn/inference/open_encoder.h"
#include "ffn/models/weight_file.h"
#include "ffn/tensor/host.h"
#include "io/files.h"

namespace ffn::testing_inference {

inline constexpr int kSpecial = 4, kLetters = 6;  // [PAD] [UNK] [CLS] [SEP]; a … f

inline std::string letters_tokenizer() {
  const char* const names[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
  std::string added, vocabulary;
  for (int i = 0; i < kSpecial; ++i) {
    const std::string id = std::to_string(i);
    added += std::string(i > 0 ? "," : "") + R"({"id": )" + id + R"(, "content": ")" + names[i] +
             R"(", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,)" +
             R"( "special": true})";
    vocabulary += std::string(i > 0 ? "," : "") + '"' + names[i] + "\": " + id;
  }
  for (int i = 0; i < kLetters; ++i)
    vocabulary +=
        std::string(", \"") + static_cast<char>('a' + i) + "\": " + std::to_string(kSpecial + i);
  return R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [)" + added +
         R"(], "normalizer": {"type": "BertNormalizer", "clean_text": true,
    "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                       "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100, "vocab": {)" +
         vocabulary + "}}}";
}

inline BertConfig small_encoder_config() {
  BertConfig config;
  config.vocabulary = kSpecial + kLetters;
  config.tokens = 24;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.feed_forward = standard_designs().parse("mlp(gelu, hidden=24)");
  return config;
}

// A folder whose weights are large enough that every token matters.
class SmallEncoder {
 public:
  explicit SmallEncoder(Executor& ex) {
    ParameterSet parameters;
    const Bert bert(small_encoder_config(), parameters, standard_designs());
    parameters.finalize(ex, DType::f32, false);
    initialize_all(ex, parameters, 7);
    for (Parameter& parameter : parameters.all()) {
      std::vector<double> values = host_values(parameter.master);
      for (double& value : values) value *= parameter.shape.rank() == 2 ? 15 : 1;
      set_host_values(parameter.master, values);
    }
    write("config.json", bert_config_json(small_encoder_config()));
    write("tokenizer.json", letters_tokenizer());
    write_weights(path() + "/model.safetensors", bert.stored_weights());
  }
  void write(const std::string& name, std::string_view text) const {
    testing_io::write_file(folder_ / name, testing_io::to_bytes(text));
  }
  std::string path() const { return folder_.path().string(); }

 private:
  testing_io::TemporaryFolder folder_;
};

}  // namespace ffn::testing_inference
