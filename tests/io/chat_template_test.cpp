// Conversations as Jinja renders them by the real templates (tests/fixtures/make_chats.py).
#include "ffn/io/chat_template.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "ffn/io/checksum.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;
using nlohmann::json;

std::string sha256(std::string_view text) { return sha256_of(std::as_bytes(std::span(text))); }

// FIPS 180-4's examples, and lengths around the end of a block.
TEST(Checksum, Sha256) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256(std::string(55, 'a')),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(sha256(std::string(64, 'a')),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

constexpr ChatFormat kFormats[] = {ChatFormat::chatml, ChatFormat::chatml_smol, ChatFormat::gemma,
                                   ChatFormat::gemma2};

TEST(ChatTemplate, RendersAsJinjaDoes) {
  std::ifstream in(std::filesystem::path(FFN_FIXTURES) / "tokenizers" / "chats.json");
  const json file = json::parse(in);
  int refused = 0, rendered = 0;
  for (const ChatFormat format : kFormats) {
    const ChatTemplate chat(format, "<bos>");
    const json& texts = file.at("texts").at(std::string(chat.name()));
    for (std::size_t i = 0; i < file.at("chats").size(); ++i) {
      SCOPED_TRACE(std::string(chat.name()) + ", conversation " + std::to_string(i));
      std::vector<ChatMessage> messages;
      for (const json& message : file.at("chats").at(i))
        messages.push_back({message.at(0).get<std::string>(), message.at(1).get<std::string>()});
      for (const bool answer_next : {false, true}) {
        const json& want = texts.at(i).at(answer_next ? 1 : 0);
        if (want.is_null()) {
          expect_error(ErrorKind::config, {"[chat]"}, [&] { chat.render(messages, answer_next); });
          ++refused;
        } else {
          EXPECT_EQ(chat.render(messages, answer_next), want.get<std::string>());
          ++rendered;
        }
      }
    }
  }
  EXPECT_GT(refused, 8);
  EXPECT_GT(rendered, 40);
}

TEST(ChatTemplate, AnUnknownTemplateIsPlainTextWithAReason) {
  const ChatTemplate chat = ChatTemplate::of_text("{{ messages }}", "<s>");
  EXPECT_EQ(chat.format(), ChatFormat::raw);
  EXPECT_NE(chat.reason().find("14 bytes, SHA-256"), std::string::npos) << chat.reason();
  const std::vector<ChatMessage> messages = {{"system", "a"}, {"user", "b\n"}};
  EXPECT_EQ(chat.render(messages, true), "a\nb\n");
  EXPECT_TRUE(ChatTemplate(ChatFormat::gemma, "<bos>").reason().empty());
  expect_error(ErrorKind::config, {"no messages"}, [&] { chat.render({}, true); });
}

}  // namespace
}  // namespace ffn
