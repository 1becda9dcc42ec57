#include "ffn/io/chat_template_folder.h"

#include <cstdint>
#include <filesystem>
#include <span>

#include "ffn/io/mapped_file.h"
#include "ffn/io/tokenizer/tokenizer_json.h"

namespace ffn::inline v0 {

ChatTemplate read_chat_template_folder(const std::string& folder, const Tokenizer& tokenizer) {
  const std::string bos = bos_text(tokenizer);
  const std::string own = folder + "/chat_template.jinja";
  if (std::filesystem::exists(own)) {
    const MappedFile file(own);
    const auto bytes = file.bytes();
    return ChatTemplate::of_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, bos);
  }
  const std::string path = folder + "/tokenizer_config.json";
  if (!std::filesystem::exists(path)) return ChatTemplate(ChatFormat::raw, bos);
  const MappedFile file(path);
  const TokenizerConfig config = parse_tokenizer_config(file.bytes(), path);
  return config.chat_template ? ChatTemplate::of_text(*config.chat_template, bos)
                              : ChatTemplate(ChatFormat::raw, bos);
}

std::string bos_text(const Tokenizer& tokenizer) {
  const auto bos = tokenizer.special().bos;
  return bos ? tokenizer.decode(std::span(&*bos, 1), false) : std::string();
}

}  // namespace ffn::inline v0
