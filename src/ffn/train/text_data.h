// A text as documents of ids, split into training, validation and test documents.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

// Documents one after another, each behind the separator's id.
struct TextSet {
  std::vector<std::uint16_t> ids;
  std::vector<std::int64_t> starts = {0};  // of documents in ids, and the end: count() + 1 places
  std::vector<std::int32_t> bytes;         // of each document's text

  std::int64_t count() const { return static_cast<std::int64_t>(bytes.size()); }
  std::int64_t total_bytes() const;
  // With its separator first.
  std::span<const std::uint16_t> document(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return std::span(ids).subspan(static_cast<std::size_t>(starts[i]),
                                  static_cast<std::size_t>(starts[i + 1] - starts[i]));
  }
};

struct TextData {
  std::string name;  // "gcide", or the file's own name
  std::string path;
  std::string tokenizer;
  std::int64_t vocabulary = 0;
  TextSet train, validation, test;
};

// What a model must know of a text before it is read.
struct TextGeometry {
  std::int64_t vocabulary = 0;
};

// True for "text:PATH" and for the names of known texts.
bool names_text(std::string_view data);
TextGeometry text_geometry(std::string_view data);

// A known text, or text:PATH of a file (plain, or gzip by its first bytes), as ids of
// byte_tokenizer(). A text is cut into documents at the first blank line after each 2048 bytes, or,
// where none comes before 8192, at the last line's end, or there. Documents are held out by a
// permutation keyed by the text's name: a twentieth each for validation (at most 128) and test (at
// most 512), the same in every run; all sets keep the text's order.
// Memory: 2 bytes an id, the text itself while reading. Errors: Error{config} for an unknown name;
// Error{io} naming the file: missing, damaged, not text, too short for 20 documents, above 4 GiB.
TextData load_text_data(std::string_view data);

struct KnownText {
  std::string_view name, title, path, how_to_get;
};
std::span<const KnownText> known_texts();

}  // namespace ffn::inline v0
