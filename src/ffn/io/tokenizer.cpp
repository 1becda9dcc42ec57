#include "ffn/io/tokenizer.h"

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  std::string_view name() const override { return "bytes"; }
  std::int64_t vocabulary() const override { return 256; }
  std::int32_t separator() const override { return 0; }

  void encode(std::span<const std::byte> bytes, std::vector<std::uint16_t>& ids) const override {
    ids.reserve(ids.size() + bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      check(bytes[i] != std::byte{0}, ErrorKind::io, "text", "holds a byte 0 at offset ", i,
            ": it is no text");
      ids.push_back(std::to_integer<std::uint16_t>(bytes[i]));
    }
  }
};

}  // namespace

const Tokenizer& byte_tokenizer() {
  static const ByteTokenizer tokenizer;
  return tokenizer;
}

}  // namespace ffn::inline v0
