#include "ffn/io/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "ffn/io/tokenizer/byte_level.h"
#include "ffn/io/tokenizer/characters.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// A range of a text; `match` says whether it is a match of the pattern or lies between two.
struct Part {
  std::size_t begin = 0, end = 0;
  bool match = false;
};
using Parts = std::vector<Part>;

// Finds the parts that cover a text.
using Finder = std::function<void(std::string_view text, Parts& parts)>;

void parts_of_matches(std::string_view text, const std::vector<Match>& matches, Parts& parts) {
  std::size_t at = 0;
  for (const Match& match : matches) {
    if (at != match.begin) parts.push_back({at, match.begin, false});
    parts.push_back({match.begin, match.end, true});
    at = match.end;
  }
  if (at != text.size()) parts.push_back({at, text.size(), false});
}

template <class Is>
void parts_of_characters(std::string_view text, const Is& is, Parts& parts) {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is(next_code_point(text, at))) continue;
    if (begin < here) parts.push_back({begin, here, false});
    parts.push_back({here, at, true});
    begin = at;
  }
  if (begin < text.size()) parts.push_back({begin, text.size(), false});
}

// Joins each part to the one before it in `parts` where join(part, previous match) says so.
template <class Join>
void join_parts(Parts& parts, const Join& join) {
  std::size_t count = 0;
  bool previous = false;
  for (const Part part : parts) {
    const bool joined = count > 0 && join(part.match, previous);
    previous = part.match;
    if (joined) {
      parts[count - 1].begin = std::min(parts[count - 1].begin, part.begin);
      parts[count - 1].end = std::max(parts[count - 1].end, part.end);
    } else {
      parts[count++] = part;
    }
  }
  parts.resize(count);
}

void apply_behavior(SplitBehavior behavior, Parts& parts) {
  const auto single_match = [](bool match, bool previous) { return match && !previous; };
  switch (behavior) {
    case SplitBehavior::isolated: break;
    case SplitBehavior::removed: std::erase_if(parts, [](const Part& p) { return p.match; }); break;
    case SplitBehavior::contiguous:
      join_parts(parts, [](bool match, bool previous) { return match == previous; });
      break;
    case SplitBehavior::merged_with_previous: join_parts(parts, single_match); break;
    case SplitBehavior::merged_with_next:
      std::reverse(parts.begin(), parts.end());
      join_parts(parts, single_match);
      std::reverse(parts.begin(), parts.end());
      break;
  }
}

// Cuts every piece without an id.
void cut(Pieces& pieces, const Finder& find, SplitBehavior behavior, bool invert) {
  std::vector<Piece> list;
  list.reserve(pieces.list.size());
  Parts parts;
  for (const Piece& piece : pieces.list) {
    if (piece.id >= 0) {
      list.push_back(piece);
      continue;
    }
    parts.clear();
    find(pieces.at(piece), parts);
    if (invert)
      for (Part& part : parts) part.match = !part.match;
    apply_behavior(behavior, parts);
    for (const Part& part : parts)
      if (part.begin < part.end)
        list.push_back(
            {piece.begin + part.begin, piece.begin + part.end, -1, piece.first && part.begin == 0});
  }
  pieces.list = std::move(list);
}

PreTokenizer cutter(Finder find, SplitBehavior behavior, bool invert = false) {
  return [find = std::move(find), behavior, invert](Pieces& pieces) {
    cut(pieces, find, behavior, invert);
  };
}

Finder matches_of(Pattern pattern) {
  return [pattern = std::move(pattern)](std::string_view text, Parts& parts) {
    std::vector<Match> matches;
    pattern.find(text, matches);
    parts_of_matches(text, matches, parts);
  };
}

template <class Is>
Finder characters_that(Is is) {
  return [is](std::string_view text, Parts& parts) { parts_of_characters(text, is, parts); };
}

// Writes every piece without an id anew, into a text of its own.
template <class Rewrite>
void rewrite(Pieces& pieces, const Rewrite& append_new) {
  std::string text;
  text.reserve(pieces.text.size() + pieces.text.size() / 4);
  for (Piece& piece : pieces.list) {
    if (piece.id >= 0) continue;
    const std::size_t begin = text.size();
    append_new(piece, pieces.at(piece), text);
    piece.begin = begin;
    piece.end = text.size();
  }
  pieces.text = std::move(text);
}

enum class WordClass { none, word, mark };

WordClass word_class(char32_t c) {
  if (is_word(c)) return WordClass::word;
  return is_white_space(c) ? WordClass::none : WordClass::mark;
}

// Runs of word characters, and runs of others that are no white space.
void word_parts(std::string_view text, Parts& parts) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const WordClass kind = word_class(next_code_point(text, at));
    for (std::size_t next = at; next < text.size(); at = next)
      if (word_class(next_code_point(text, next)) != kind) break;
    parts.push_back({begin, at, kind == WordClass::none});
  }
}

}  // namespace

PreTokenizer byte_level(const ByteLevelOptions& options) {
  PreTokenizer words;
  if (options.use_regex)
    words = cutter(matches_of(Pattern(kGpt2Pattern, "tokenizer")), SplitBehavior::isolated);
  return [options, words](Pieces& pieces) {
    if (options.add_prefix_space)
      rewrite(pieces, [](const Piece&, std::string_view piece, std::string& text) {
        if (!piece.starts_with(' ')) text += ' ';
        text += piece;
      });
    if (words) words(pieces);
    rewrite(pieces, [](const Piece&, std::string_view piece, std::string& text) {
      append_byte_characters(piece, text);
    });
  };
}

PreTokenizer split(Pattern pattern, SplitBehavior behavior, bool invert) {
  return cutter(matches_of(std::move(pattern)), behavior, invert);
}

PreTokenizer digits(bool individual) {
  return cutter(characters_that(is_number),
                individual ? SplitBehavior::isolated : SplitBehavior::contiguous);
}

PreTokenizer punctuation(SplitBehavior behavior) {
  return cutter(characters_that(is_punctuation), behavior);
}

PreTokenizer whitespace() { return cutter(word_parts, SplitBehavior::removed); }

PreTokenizer whitespace_split() {
  return cutter(characters_that(is_white_space), SplitBehavior::removed);
}

PreTokenizer bert_pre_tokenizer() {
  return in_sequence(
      std::vector<PreTokenizer>{whitespace_split(), punctuation(SplitBehavior::isolated)});
}

PreTokenizer metaspace(std::string replacement, PrependScheme scheme, bool split_words) {
  PreTokenizer words;
  if (split_words)
    words = split(Pattern::literal(replacement), SplitBehavior::merged_with_next, false);
  return [replacement = std::move(replacement), scheme, words](Pieces& pieces) {
    rewrite(pieces, [&](const Piece& piece, std::string_view old, std::string& text) {
      const bool prepended =
          scheme == PrependScheme::always || (scheme == PrependScheme::first && piece.first);
      if (prepended && !old.starts_with(' ') && !old.starts_with(replacement)) text += replacement;
      for (const char c : old) {
        if (c == ' ')
          text += replacement;
        else
          text += c;
      }
    });
    if (words) words(pieces);
  };
}

PreTokenizer in_sequence(std::vector<PreTokenizer> pre_tokenizers) {
  return [pre_tokenizers = std::move(pre_tokenizers)](Pieces& pieces) {
    for (const PreTokenizer& pre_tokenizer : pre_tokenizers) pre_tokenizer(pieces);
  };
}

}  // namespace ffn::inline v0
