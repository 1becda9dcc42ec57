// Merging as SentencePiece does it for BPE models: neighbours whose concatenation is a token, the
// token with the highest score first, the leftmost of equal ones.
// Kudo and Richardson 2018 (arxiv.org/abs/1808.06226).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/token_model.h"

namespace ffn::inline v0 {

// `scores` by id; `mergeable` says which tokens text may become (not control tokens, not bytes).
// A character without a token becomes its <0x..> tokens, or `unknown` where one of them is missing.
// A word of n characters costs O(n log n · longest token). Errors: Error{io} naming `where` for a
// score that is no number and for text that has neither byte tokens nor `unknown` (-1).
std::unique_ptr<TokenModel> make_sentence_piece(Vocabulary vocabulary, std::vector<float> scores,
                                                std::vector<bool> mergeable, std::int32_t unknown,
                                                std::string_view where);

}  // namespace ffn::inline v0
