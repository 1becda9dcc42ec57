#include "ffn/io/tokenizer/tokenizer.h"

#include <algorithm>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

bool SpecialTokens::ends_answer(std::int32_t id) const {
  return (eos && *eos == id) || std::ranges::binary_search(end_of_turn, id);
}

std::int32_t Tokenizer::separator() const {
  const SpecialTokens& tokens = special();
  check(tokens.bos || tokens.eos, ErrorKind::io, name(),
        "names neither a first nor a last token of a text (bos, eos); documents need one between "
        "them");
  return tokens.bos ? *tokens.bos : *tokens.eos;
}

}  // namespace ffn::inline v0
