// Tokens that end a turn of a chat, by their usual names.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace ffn::inline v0 {

// ChatML, Gemma, LLaMA 3 (of a turn, and of a message to a tool), Phi.
inline constexpr std::array<std::string_view, 5> kEndOfTurnTokens = {
    "<|im_end|>", "<end_of_turn>", "<|eot_id|>", "<|eom_id|>", "<|end|>"};

inline bool ends_turn(std::string_view token) {
  return std::ranges::find(kEndOfTurnTokens, token) != kEndOfTurnTokens.end();
}

}  // namespace ffn::inline v0
