#include "ffn/inference/open_encoder.h"

#include <algorithm>
#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/io/tokenizer/tokenizer_json.h"

namespace ffn::inline v0 {
namespace {

// Tokens that the tokenizer puts behind a text.
std::int64_t tokens_behind(const Tokenizer& tokenizer, const std::string& path) {
  std::vector<std::int32_t> plain, whole;
  tokenizer.encode("a", {.add_special = false}, plain);
  tokenizer.encode("a", {}, whole);
  const auto text = std::ranges::search(whole, plain);
  check(!plain.empty() && !text.empty() && whole.size() > plain.size(), ErrorKind::io, path,
        "its tokenizer puts nothing around a text, such as [CLS] and [SEP]; that of a sentence "
        "encoder does");
  return whole.end() - text.end();
}

std::int64_t longest_text(const EncoderFiles& files) {
  const std::int64_t own = files.config.tokens;
  return files.pooling.tokens > 0 ? std::min(files.pooling.tokens, own) : own;
}

}  // namespace

EncoderFiles open_encoder_files(const std::string& path) {
  EncoderFiles files;
  files.path = path;
  check(std::filesystem::is_directory(path) || !std::filesystem::exists(path), ErrorKind::io, path,
        "is a file; a sentence encoder is a folder with config.json, tokenizer.json and "
        "safetensors (GGUF files are language models, for ffn run)");
  files.config = read_bert_config(path);
  files.weights = open_checkpoint(path);
  files.tokenizer = read_tokenizer_folder(path);
  files.pooling = read_sentence_pooling(path);
  check(files.tokenizer->vocabulary() <= files.config.vocabulary, ErrorKind::io, path,
        "its tokenizer has ", files.tokenizer->vocabulary(), " tokens, its table of embeddings ",
        files.config.vocabulary, " rows; the files do not belong together");
  files.last_tokens = tokens_behind(*files.tokenizer, path);
  files.tokens = longest_text(files);
  std::vector<std::int32_t> around;
  files.tokenizer->encode("", {}, around);
  check(files.tokens > std::ssize(around), ErrorKind::io, path, "takes texts of ", files.tokens,
        " tokens, of which ", around.size(), " belong around every text; expected room for one");
  return files;
}

LoadedEncoder::LoadedEncoder(Executor& ex, const EncoderFiles& files, DType compute)
    : bert_(files.config, parameters_, standard_designs()) {
  bytes_ = place_weights(ex, WeightFile(*files.weights), bert_.stored_weights(), parameters_,
                         compute, bert_harmless_names());
  parameters_.finalize(ex, compute, false);
}

SentenceIds sentence_ids(const EncoderFiles& files, std::string_view text) {
  check(text.find_first_not_of(" \t\n\v\f\r") != std::string_view::npos, ErrorKind::config, "embed",
        "a text is empty; expected some characters");
  SentenceIds made;
  files.tokenizer->encode(files.pooling.prompt + std::string(text), {}, made.ids);
  const std::int64_t beyond = std::ssize(made.ids) - files.tokens;
  if (beyond <= 0) return made;
  made.cut = true;
  made.ids.erase(made.ids.end() - files.last_tokens - beyond, made.ids.end() - files.last_tokens);
  return made;
}

}  // namespace ffn::inline v0
