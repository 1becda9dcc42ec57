#include "ffn/io/tokenizer/gguf_patterns.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Of files that name no pattern: marks, then words, then runs of digits, three at a time.
constexpr std::array<std::string_view, 4> kDefault = {
    R"([\p{P}\$\+<=>\^~\|]+)",
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))", R"(\p{N}+)",
    R"([0-9][0-9][0-9])"};

enum class Words { gpt2, single_digits, llama3, qwen2, by_default };

constexpr std::array<std::pair<std::string_view, Words>, 15> kKnownWords{{
    {"default", Words::by_default},
    {"gpt-2", Words::gpt2},
    {"olmo", Words::gpt2},
    {"jais", Words::gpt2},
    {"phi-2", Words::gpt2},
    {"smollm", Words::single_digits},
    {"starcoder", Words::single_digits},
    {"refact", Words::single_digits},
    {"command-r", Words::single_digits},
    {"codeshell", Words::single_digits},
    {"llama3", Words::llama3},
    {"llama-v3", Words::llama3},
    {"llama-bpe", Words::llama3},
    {"qwen2", Words::qwen2},
    {"deepseek-r1-qwen", Words::qwen2},
}};

PreTokenizer by_pattern(std::string_view pattern) {
  return split(Pattern(pattern, "tokenizer"), SplitBehavior::isolated, false);
}

}  // namespace

GgufWords gguf_words(std::string_view pre, std::string_view where) {
  if (pre.empty()) pre = "default";
  std::string names;
  const Words* words = nullptr;
  for (const auto& [name, kind] : kKnownWords) {
    names.append(" ").append(name);
    if (name == pre) words = &kind;
  }
  check(words != nullptr, ErrorKind::io, where, "cuts words as ", in_quotes(pre),
        " does (tokenizer.ggml.pre), which this program does not know; known are", names);
  const PreTokenizer gpt2 = byte_level({.add_prefix_space = false, .use_regex = true});
  const PreTokenizer bytes = byte_level({.add_prefix_space = false, .use_regex = false});
  std::vector<PreTokenizer> steps;
  switch (*words) {
    case Words::gpt2: return {gpt2, {}, false};
    case Words::single_digits: return {in_sequence(std::vector{digits(true), gpt2}), {}, false};
    case Words::llama3: return {in_sequence(std::vector{by_pattern(kLlama3), bytes}), {}, true};
    case Words::qwen2:
      return {in_sequence(std::vector{by_pattern(kQwen2), bytes}), normal_form(NormalForm::nfc),
              false};
    case Words::by_default: break;
  }
  for (const std::string_view pattern : kDefault) steps.push_back(by_pattern(pattern));
  steps.push_back(bytes);
  return {in_sequence(std::move(steps)), {}, false};
}

}  // namespace ffn::inline v0
