// A conversation as the one text that a chat model continues. Templates in files are programs
// (Jinja); none is run: those that are known are known by their hash and written here.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"; ChatML takes any
  std::string content;
};

enum class ChatFormat {
  raw,          // the contents, a line end between them: the model has no template that is known
  chatml,       // <|im_start|>role … <|im_end|>
  chatml_smol,  // with SmolLM2's own system message where a conversation does not begin with one
  gemma,   // <start_of_turn>role … <end_of_turn>; turns alternate, a system message joins the first
  gemma2,  // likewise, but without system messages
};

class ChatTemplate {
 public:
  // `bos` is the text of the first token of a text, which Gemma's templates begin with.
  explicit ChatTemplate(ChatFormat format = ChatFormat::raw, std::string bos = {});

  // The format whose template is `text`, byte for byte (SHA-256); raw with a reason() otherwise.
  static ChatTemplate of_text(std::string_view text, std::string bos);

  ChatFormat format() const { return format_; }
  std::string_view name() const;
  // Why a model's own template is not used; empty where it is. One line, to warn with.
  const std::string& reason() const { return reason_; }

  // Exactly what the template makes of the messages. answer_next ends with the start of the model's
  // answer. Encode it without add_special: what belongs before the text is in it. The contents
  // stand in it as they are: special tokens written in them would count. Errors: Error{config} for
  // no messages, and for roles that the format does not take in this order.
  std::string render(std::span<const ChatMessage> messages, bool answer_next) const;

 private:
  ChatFormat format_;
  std::string bos_, reason_;
};

}  // namespace ffn::inline v0
