#include <string>
#include <vector>

#include "ffn/io/tokenizer/tokenizer_json.h"
#include "ffn/io/tokenizer/utf8.h"
#include "target.h"

// A tokenizer that is accepted turns a short text into ids and back, or says why it cannot.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ffn::fuzz::run(data, size, [](std::span<const std::byte> file) {
    const auto tokenizer = ffn::parse_tokenizer_json(file, "fuzz");
    std::vector<std::int32_t> ids;
    tokenizer->encode("ab  <s>it's 12 \xC3\xA9!\n\xF0\x9F\x98\x80", {}, ids);
    for (const std::int32_t id : ids)
      ffn::fuzz::require(id >= 0 && id < tokenizer->vocabulary(), "ids are in the vocabulary");
    const std::string text = tokenizer->decode(ids, true);
    ffn::fuzz::require(ffn::valid_utf8(text) == text, "decoded text is UTF-8");
  });
}
