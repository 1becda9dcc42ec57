#include "ffn/inference/open_model.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/inference/generate.h"
#include "ffn/io/chat_template_folder.h"
#include "ffn/io/gguf_tokenizer.h"
#include "ffn/io/tokenizer/tokenizer_json.h"
#include "ffn/models/gguf_decoder.h"
#include "ffn/models/model_config.h"

namespace ffn::inline v0 {
namespace {

void describe_gguf(const GgufFile& file, ModelFiles& files) {
  files.config = gguf_decoder_config(file);
  files.tokenizer = read_gguf_tokenizer(file);
  files.chat = read_gguf_chat_template(file, *files.tokenizer);
  // A vocabulary of 262,144 tokens is 6 MB of the file; whoever reads on here finds it again.
  if (!file.tensors().empty()) file.files()[0]->discard(0, file.tensors().front().offset_bytes);
}

void describe_folder(const std::string& path, ModelFiles& files) {
  check(std::filesystem::is_directory(path), ErrorKind::io, path,
        "is a file of weights alone; expected a GGUF file, or the folder that also has config.json "
        "and tokenizer.json");
  const ModelConfig config = read_model_config(path);
  const auto* decoder = std::get_if<DecoderConfig>(&config);
  check(decoder != nullptr, ErrorKind::io, path,
        "is no language model that writes text; expected one of the decoders in docs/models.md");
  files.config = *decoder;
  files.tokenizer = read_tokenizer_folder(path);
  files.chat = read_chat_template_folder(path, *files.tokenizer);
  files.harmless = harmless_names(config);
}

}  // namespace

ModelFiles open_model_files(const std::string& path) {
  ModelFiles files;
  files.path = path;
  files.weights = open_checkpoint(path);
  if (const GgufFile* gguf = as_gguf(*files.weights)) {
    describe_gguf(*gguf, files);
  } else {
    describe_folder(path, files);
  }
  check(files.tokenizer->vocabulary() <= files.config.vocabulary, ErrorKind::io, path,
        "its tokenizer has ", files.tokenizer->vocabulary(), " tokens, its table of embeddings ",
        files.config.vocabulary, " rows; the files do not belong together");
  return files;
}

LoadedModel::LoadedModel(Executor& ex, const ModelFiles& files, DType compute)
    : decoder_(files.config, parameters_, 0, standard_designs()) {
  bytes_ = place_weights(ex, WeightFile(*files.weights), decoder_.stored_weights(), parameters_,
                         compute, files.harmless);
  parameters_.finalize(ex, compute, false);
}

InferencePlan plan_inference(const Device& device, const ModelFiles& files, DType compute,
                             DType cache_dtype, std::int64_t prompt, std::int64_t bound) {
  Executor ex(dry_device(device));
  const LoadedModel model(ex, files, compute);
  DecoderCache cache(ex, files.config, bound, cache_dtype);
  const EvalScope scope(ex);
  // The last piece of the prompt and the last token meet the most keys.
  for (const std::int64_t rows : {std::min(prompt, kPromptPiece), std::int64_t{1}}) {
    const StepScope step(ex);
    const Tensor ids = ex.allocate({{rows}, DType::i32, Role::activation});
    cache.keep(0);
    cache.grow(bound - rows);
    model.decoder().last_logits(ex, ids, cache);
  }
  return {model.bytes().mapped, ex.report().peak_bytes, model.bytes().copied};
}

}  // namespace ffn::inline v0
