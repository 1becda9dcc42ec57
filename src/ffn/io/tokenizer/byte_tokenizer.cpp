#include "ffn/base/error.h"
#include "ffn/io/tokenizer/tokenizer.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  std::string_view name() const override { return "bytes"; }
  std::int64_t vocabulary() const override { return 256; }
  const SpecialTokens& special() const override { return special_; }

  void encode(std::string_view text, const EncodeOptions&,
              std::vector<std::int32_t>& ids) const override {
    ids.reserve(ids.size() + text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      check(text[i] != '\0', ErrorKind::io, "text", "holds a byte 0 at offset ", i,
            ": it is no text");
      ids.push_back(static_cast<unsigned char>(text[i]));
    }
  }

  std::string decode(std::span<const std::int32_t> ids, bool skip_special) const override {
    std::string bytes;
    bytes.reserve(ids.size());
    for (const std::int32_t id : ids) {
      check(id >= 0 && id < 256, ErrorKind::io, "bytes", "id ", id, " is none of 0 to 255");
      if (id != 0 || !skip_special) bytes += static_cast<char>(id);
    }
    return valid_utf8(bytes);
  }

  std::optional<std::int32_t> find(std::string_view token) const override {
    if (token.size() != 1) return std::nullopt;
    return static_cast<unsigned char>(token.front());
  }

 private:
  SpecialTokens special_{0, std::nullopt, {}};
};

}  // namespace

const Tokenizer& byte_tokenizer() {
  static const ByteTokenizer tokenizer;
  return tokenizer;
}

}  // namespace ffn::inline v0
