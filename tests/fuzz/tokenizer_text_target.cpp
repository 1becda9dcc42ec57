#include <array>
#include <memory>
#include <string>
#include <vector>

#include "ffn/io/mapped_file.h"
#include "ffn/io/tokenizer/stream_decoder.h"
#include "ffn/io/tokenizer/tokenizer_json.h"
#include "ffn/io/tokenizer/utf8.h"
#include "target.h"

namespace {

using Tokenizers = std::vector<std::unique_ptr<const ffn::Tokenizer>>;

// Of every kind: they are the fixtures of the tests.
const Tokenizers& tokenizers() {
  static const Tokenizers all = [] {
    Tokenizers made;
    for (const char* name : {"llama3", "qwen2", "roberta", "llama2", "gemma", "bert", "metaspace",
                             "clip", "prefixed", "added"}) {
      const ffn::MappedFile file(std::string(FFN_FIXTURES "/tokenizers/") + name + ".json");
      made.push_back(ffn::parse_tokenizer_json(file.bytes(), name));
    }
    return made;
  }();
  return all;
}

void encode_and_decode(const ffn::Tokenizer& tokenizer, std::string_view text, bool parse_special) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, {.add_special = true, .parse_special = parse_special}, ids);
  for (const std::int32_t id : ids)
    ffn::fuzz::require(id >= 0 && id < tokenizer.vocabulary(), "ids are in the vocabulary");
  const std::string whole = tokenizer.decode(ids, false);
  ffn::fuzz::require(ffn::valid_utf8(whole) == whole, "decoded text is UTF-8");
  ffn::StreamDecoder stream(tokenizer, false);
  std::string streamed;
  for (const std::int32_t id : ids) {
    const std::string piece = stream.next(id);
    ffn::fuzz::require(ffn::valid_utf8(piece) == piece, "a piece is whole characters");
    streamed += piece;
  }
  streamed += stream.finish();
  if (whole.find(ffn::kReplacementCharacter) == std::string::npos)
    ffn::fuzz::require(streamed == whole, "pieces are the text");
}

}  // namespace

// The first byte chooses the tokenizer and whether special tokens count; the rest is the text.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  return ffn::fuzz::run(data + 1, size - 1, [choice = *data](std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    encode_and_decode(*tokenizers()[(choice >> 1) % tokenizers().size()], text, (choice & 1) != 0);
  });
}
