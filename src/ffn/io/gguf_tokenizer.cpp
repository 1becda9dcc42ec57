#include "ffn/io/gguf_tokenizer.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ffn/io/chat_template_folder.h"
#include "ffn/io/tokenizer/gguf_vocabulary.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kMostId = std::numeric_limits<std::int32_t>::max();
constexpr double kMostScore = std::numeric_limits<float>::max();

std::optional<std::int64_t> id_of(const GgufMetadata& metadata, std::string_view key) {
  if (!metadata.has(key)) return {};
  return metadata.integer(key, 0, kMostId);
}

std::optional<bool> flag_of(const GgufMetadata& metadata, std::string_view key) {
  if (!metadata.has(key)) return {};
  return metadata.flag(key);
}

}  // namespace

std::unique_ptr<const Tokenizer> read_gguf_tokenizer(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  const std::vector<std::string_view> tokens = metadata.texts("tokenizer.ggml.tokens");
  std::vector<std::string_view> merges;
  if (metadata.has("tokenizer.ggml.merges")) merges = metadata.texts("tokenizer.ggml.merges");
  std::vector<float> scores;
  if (metadata.has("tokenizer.ggml.scores"))
    for (const double score : metadata.numbers("tokenizer.ggml.scores", -kMostScore, kMostScore))
      scores.push_back(static_cast<float>(score));
  std::vector<std::int32_t> types;
  if (metadata.has("tokenizer.ggml.token_type"))
    for (const std::int64_t type : metadata.integers("tokenizer.ggml.token_type", 0, kMostId))
      types.push_back(static_cast<std::int32_t>(type));
  GgufVocabulary vocabulary;
  vocabulary.model = metadata.text("tokenizer.ggml.model");
  vocabulary.pre = metadata.text("tokenizer.ggml.pre", "");
  vocabulary.tokens = tokens;
  vocabulary.merges = merges;
  vocabulary.scores = scores;
  vocabulary.token_types = types;
  vocabulary.bos_token_id = id_of(metadata, "tokenizer.ggml.bos_token_id");
  vocabulary.eos_token_id = id_of(metadata, "tokenizer.ggml.eos_token_id");
  vocabulary.eot_token_id = id_of(metadata, "tokenizer.ggml.eot_token_id");
  vocabulary.unknown_token_id = id_of(metadata, "tokenizer.ggml.unknown_token_id");
  vocabulary.separator_token_id = id_of(metadata, "tokenizer.ggml.seperator_token_id");
  vocabulary.add_bos_token = flag_of(metadata, "tokenizer.ggml.add_bos_token");
  vocabulary.add_eos_token = flag_of(metadata, "tokenizer.ggml.add_eos_token");
  vocabulary.add_space_prefix = flag_of(metadata, "tokenizer.ggml.add_space_prefix");
  return make_gguf_tokenizer(vocabulary, file.path());
}

ChatTemplate read_gguf_chat_template(const GgufFile& file, const Tokenizer& tokenizer) {
  const std::string_view text = file.metadata().text("tokenizer.chat_template", "");
  const std::string bos = bos_text(tokenizer);
  return text.empty() ? ChatTemplate(ChatFormat::raw, bos) : ChatTemplate::of_text(text, bos);
}

}  // namespace ffn::inline v0
