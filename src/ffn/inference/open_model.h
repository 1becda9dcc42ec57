// A language model from the world, opened to be used: configuration, weights where they lie in the
// file, tokenizer and chat template.
//
//   const ModelFiles files = open_model_files("model.gguf");
//   Executor ex(device);
//   const LoadedModel model(ex, files, DType::f32);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/chat_template.h"
#include "ffn/io/checkpoint.h"
#include "ffn/io/tokenizer/tokenizer.h"
#include "ffn/models/decoder.h"
#include "ffn/models/placed_weights.h"

namespace ffn::inline v0 {

// What a model's files say, but for its weights: of those only headers are read.
struct ModelFiles {
  std::string path;
  std::unique_ptr<const TensorSource> weights;
  DecoderConfig config;
  std::unique_ptr<const Tokenizer> tokenizer;
  ChatTemplate chat;
  std::vector<std::string_view> harmless;  // ends of names of tensors that are no weights
};

// A Hugging Face folder (config.json, safetensors, tokenizer.json) or a GGUF file. Errors: io of
// the files' readers: an architecture or a tokenizer that this library does not know, a vocabulary
// without rows in the table of embeddings.
ModelFiles open_model_files(const std::string& path);

// The model with its weights as frozen views of the mapped files: nothing is read until it is used.
class LoadedModel {
 public:
  // `compute` (f32 or bf16, f64 on the reference) is what activations are. The files must outlive
  // this. Errors: io for missing, unused or misshapen tensors.
  LoadedModel(Executor& ex, const ModelFiles& files, DType compute);

  const Decoder& decoder() const { return decoder_; }
  const PlacedBytes& bytes() const { return bytes_; }

 private:
  ParameterSet parameters_;
  Decoder decoder_;
  PlacedBytes bytes_;
};

// What a text costs on `device`, found without reading weights.
struct InferencePlan {
  std::int64_t mapped_bytes = 0;  // read in the files; the system may drop and read them again
  std::int64_t own_bytes = 0;     // peak of everything else: copies, cache, activations
  std::int64_t copied_bytes = 0;  // of own_bytes: weights that cannot stay where they lie
  std::int64_t total_bytes() const { return mapped_bytes + own_bytes; }
};
// Of `prompt` tokens and a cache for `bound` in all.
InferencePlan plan_inference(const Device& device, const ModelFiles& files, DType compute,
                             DType cache, std::int64_t prompt, std::int64_t bound);

}  // namespace ffn::inline v0
