// How tokens become text again: one small function per component of tokenizer.json.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ffn/io/tokenizer/pattern.h"
#include "ffn/io/tokenizer/pre_tokenizer.h"

namespace ffn::inline v0 {

// Changes a list of tokens, whose concatenation is the text in the end.
using TokenDecoder = std::function<void(std::vector<std::string>& tokens)>;

TokenDecoder decode_byte_level();     // byte_level.h; a token of other characters stays as it is
TokenDecoder decode_byte_fallback();  // runs of <0x..>; one U+FFFD per byte where a run is no UTF-8
TokenDecoder decode_word_piece(std::string prefix, bool cleanup);
TokenDecoder decode_metaspace(std::string replacement, PrependScheme scheme);
TokenDecoder decode_replace(Pattern pattern, std::string content);
TokenDecoder decode_fuse();
// At most `start` characters `content` from the start of every token, `stop` from its end.
TokenDecoder decode_strip(std::string content, std::size_t start, std::size_t stop);
TokenDecoder decode_spaces();  // without a decoder: one space between tokens
TokenDecoder in_sequence(std::vector<TokenDecoder> decoders);

}  // namespace ffn::inline v0
