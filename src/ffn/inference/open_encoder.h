// A sentence encoder from the world, opened to be used: configuration, pooling, tokenizer, weights
// where they lie in the file.
//
//   const EncoderFiles files = open_encoder_files("all-MiniLM-L6-v2");
//   Executor ex(device);
//   const LoadedEncoder encoder(ex, files, DType::f32);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/checkpoint.h"
#include "ffn/io/tokenizer/tokenizer.h"
#include "ffn/models/bert.h"
#include "ffn/models/placed_weights.h"
#include "ffn/models/sentence_pooling.h"

namespace ffn::inline v0 {

// What an encoder's files say, but for its weights: of those only headers are read.
struct EncoderFiles {
  std::string path;
  std::unique_ptr<const TensorSource> weights;
  BertConfig config;
  std::unique_ptr<const Tokenizer> tokenizer;
  SentencePooling pooling;
  std::int64_t tokens = 0;       // of the longest text, with what belongs around it
  std::int64_t last_tokens = 0;  // of these, that belong behind every text: "[SEP]"
};

// A Hugging Face folder of BERT's family (config.json, safetensors, tokenizer.json), with
// sentence-transformers' files where there are any. Errors: io of the files' readers: another kind
// of model, a tokenizer that does not fit the table of embeddings or puts nothing around a text, a
// bound on texts that leaves no room for one.
EncoderFiles open_encoder_files(const std::string& path);

// The encoder with its weights as frozen views of the mapped files: nothing is read until it is
// used.
class LoadedEncoder {
 public:
  // `compute` (f32 or bf16, f64 on the reference) is what activations are. The files must outlive
  // this. Errors: io for missing, unused or misshapen tensors.
  LoadedEncoder(Executor& ex, const EncoderFiles& files, DType compute);

  const Bert& bert() const { return bert_; }
  const PlacedBytes& bytes() const { return bytes_; }

 private:
  ParameterSet parameters_;
  Bert bert_;
  PlacedBytes bytes_;
};

// A text's ids, as sentence-transformers gives them to the model.
struct SentenceIds {
  std::vector<std::int32_t> ids;
  bool cut = false;  // it was longer than the encoder takes
};

// The folder's prompt and the text, between "[CLS]" and "[SEP]"; what is beyond files.tokens is cut
// from the text's end. Special tokens that stand in the text count as such, as they do there.
// Errors: config for a text of spaces alone; io as Tokenizer::encode().
SentenceIds sentence_ids(const EncoderFiles& files, std::string_view text);

}  // namespace ffn::inline v0
