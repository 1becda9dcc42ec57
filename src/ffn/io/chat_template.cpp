#include "ffn/io/chat_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/checksum.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/tokenizer/characters.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

struct KnownTemplate {
  std::string_view sha256;
  ChatFormat format;
};

constexpr std::array<KnownTemplate, 5> kKnownTemplates{{
    {"153280e3ff55d19da1398bdb3914ee2a51b80429bfaedde11d7d216c39db80f3", ChatFormat::chatml},
    {"872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788", ChatFormat::chatml_smol},
    {"7de1c58e208eda46e9c7f86397df37ec49883aeece39fb961e0a6b24088dd3c4", ChatFormat::gemma},
    // The same without the line end behind it.
    {"8d9e3a3c114fb2053ec500184677af4f7e5f8ec2582443cd535834e68b3ade29", ChatFormat::gemma},
    {"ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6", ChatFormat::gemma2},
}};

constexpr std::string_view kSmolSystem =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

bool trimmed(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

// As Python's str.strip().
std::string trim(std::string_view bytes) {
  const std::string text = valid_utf8(bytes);
  std::size_t begin = text.size(), end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (trimmed(next_code_point(text, at))) continue;
    begin = std::min(begin, here);
    end = at;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string();
}

std::string chatml_turn(std::string_view role, std::string_view content) {
  std::string turn = "<|im_start|>";
  return turn.append(role).append("\n").append(content).append("<|im_end|>\n");
}

std::string render_chatml(std::span<const ChatMessage> messages, bool own_system) {
  std::string text;
  if (own_system && messages.front().role != "system") text = chatml_turn("system", kSmolSystem);
  for (const ChatMessage& message : messages) text += chatml_turn(message.role, message.content);
  return text;
}

std::string render_gemma(std::span<const ChatMessage> messages, bool takes_system) {
  std::string text, prefix;
  if (messages.front().role == "system") {
    check(takes_system, ErrorKind::config, "chat",
          "the model's template takes no system message: put its text into the first question");
    prefix = messages.front().content + "\n\n";
    messages = messages.subspan(1);
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const ChatMessage& message = messages[i];
    check((message.role == "user") == (i % 2 == 0), ErrorKind::config, "chat", "message ", i,
          " is of ", in_quotes(message.role), ", expected ", i % 2 == 0 ? "user" : "assistant",
          ": the model's template wants them in turns");
    text += "<start_of_turn>" + (message.role == "assistant" ? "model" : message.role) + "\n";
    if (i == 0) text += prefix;
    text += (fault(557) ? message.content : trim(message.content)) + "<end_of_turn>\n";
  }
  return text;
}

std::string render_raw(std::span<const ChatMessage> messages) {
  std::string text;
  for (const ChatMessage& message : messages) {
    if (&message != messages.data()) text += "\n";
    text += message.content;
  }
  return text;
}

}  // namespace

ChatTemplate::ChatTemplate(ChatFormat format, std::string bos)
    : format_(format), bos_(std::move(bos)) {}

ChatTemplate ChatTemplate::of_text(std::string_view text, std::string bos) {
  const std::string hash = sha256_of(std::as_bytes(std::span(text)));
  const auto known =
      std::ranges::find(kKnownTemplates, std::string_view(hash), &KnownTemplate::sha256);
  if (known != kKnownTemplates.end()) return ChatTemplate(known->format, std::move(bos));
  ChatTemplate raw(ChatFormat::raw, std::move(bos));
  raw.reason_ = "the model's chat template (" + std::to_string(text.size()) + " bytes, SHA-256 " +
                hash.substr(0, 12) +
                "…) is none that is known here: messages are taken as plain text";
  return raw;
}

std::string_view ChatTemplate::name() const {
  switch (format_) {
    case ChatFormat::chatml: return "chatml";
    case ChatFormat::chatml_smol: return "chatml-smol";
    case ChatFormat::gemma: return "gemma";
    case ChatFormat::gemma2: return "gemma2";
    case ChatFormat::raw: break;
  }
  return "raw";
}

std::string ChatTemplate::render(std::span<const ChatMessage> messages, bool answer_next) const {
  check(!messages.empty(), ErrorKind::config, "chat", "there are no messages");
  switch (format_) {
    case ChatFormat::chatml:
    case ChatFormat::chatml_smol:
      return render_chatml(messages, format_ == ChatFormat::chatml_smol) +
             (answer_next ? "<|im_start|>assistant\n" : "");
    case ChatFormat::gemma:
    case ChatFormat::gemma2:
      return bos_ + render_gemma(messages, format_ == ChatFormat::gemma) +
             (answer_next ? "<start_of_turn>model\n" : "");
    case ChatFormat::raw: break;
  }
  return render_raw(messages);
}

}  // namespace ffn::inline v0
