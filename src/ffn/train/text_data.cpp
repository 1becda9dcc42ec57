#include "ffn/train/text_data.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>

#include "ffn/base/error.h"
#include "ffn/io/gzip.h"
#include "ffn/io/mapped_file.h"
#include "ffn/io/tokenizer/tokenizer.h"
#include "ffn/train/order.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kPrefix = "text:";
constexpr std::size_t kLeastDocument = 2048, kMostDocument = 8192;
constexpr std::int64_t kLeastDocuments = 20, kMostValidation = 128, kMostTest = 512;
constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;
constexpr std::int64_t kMostVocabulary = 65536;  // ids of TextSet have 16 bits
constexpr std::uint64_t kSplitSeed = 0;

constexpr std::array<KnownText, 1> kKnown{{
    {"gcide", "GCIDE: a dictionary of English, 40 MB of text", "/usr/share/dictd/gcide.dict.dz",
     "apt install dict-gcide"},
}};

const KnownText* find_known(std::string_view name) {
  const auto found = std::ranges::find(kKnown, name, &KnownText::name);
  return found == kKnown.end() ? nullptr : &*found;
}

struct Source {
  std::string name, path;
};

Source find_source(std::string_view data) {
  if (const KnownText* known = find_known(data)) {
    check(std::filesystem::exists(known->path), ErrorKind::io, std::string(known->path),
          "is not here; get it with: ", known->how_to_get);
    return {std::string(known->name), std::string(known->path)};
  }
  check(data.starts_with(kPrefix) && data.size() > kPrefix.size(), ErrorKind::config, "data", "'",
        data, "' is no text; expected gcide or text:PATH");
  const std::string path(data.substr(kPrefix.size()));
  return {std::filesystem::path(path).filename().string(), path};
}

std::vector<std::byte> read_text(const std::string& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  if (is_gzip(bytes)) return gunzip(bytes, kMostBytes, path);
  check(static_cast<std::int64_t>(bytes.size()) <= kMostBytes, ErrorKind::io, path, "has ",
        bytes.size(), " bytes; at most ", kMostBytes);
  return {bytes.begin(), bytes.end()};
}

// Where the document that begins at 0 of `rest` ends; see load_text_data().
std::size_t document_end(std::string_view rest) {
  if (rest.size() <= kLeastDocument) return rest.size();
  // Not beyond the longest document: a text without blank lines is read once, not once a document.
  const std::size_t blank = rest.substr(0, kMostDocument).find("\n\n", kLeastDocument);
  if (blank != std::string_view::npos) return blank + 2;
  if (rest.size() <= kMostDocument) return rest.size();
  const std::size_t line = rest.rfind('\n', kMostDocument - 1);
  return line != std::string_view::npos && line >= kLeastDocument ? line + 1 : kMostDocument;
}

std::vector<std::string_view> documents_of(std::string_view text) {
  std::vector<std::string_view> documents;
  while (!text.empty()) {
    const std::size_t end = document_end(text);
    documents.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return documents;
}

void append(TextSet& set, std::string_view document, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids = {tokenizer.separator()};
  tokenizer.encode(document, {.add_special = false, .parse_special = false}, ids);
  for (const std::int32_t id : ids) set.ids.push_back(static_cast<std::uint16_t>(id));
  set.starts.push_back(static_cast<std::int64_t>(set.ids.size()));
  set.bytes.push_back(static_cast<std::int32_t>(document.size()));
}

}  // namespace

std::int64_t TextSet::total_bytes() const {
  return std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
}

bool names_text(std::string_view data) {
  return data.starts_with(kPrefix) || find_known(data) != nullptr;
}

TextGeometry text_geometry(std::string_view) { return {byte_tokenizer().vocabulary()}; }

TextData load_text_data(std::string_view data) {
  const Source source = find_source(data);
  const std::vector<std::byte> bytes = read_text(source.path);
  const auto documents = documents_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto count = static_cast<std::int64_t>(documents.size());
  check(count >= kLeastDocuments, ErrorKind::io, source.path, "has ", bytes.size(),
        " bytes, which are ", count, " documents; at least ", kLeastDocuments,
        " are needed to hold some out");
  std::vector<std::uint32_t> order(documents.size());
  permute(RandomStream(kSplitSeed, "documents/" + source.name), 0, order);
  enum class Part : std::uint8_t { train, validation, test };
  std::vector<Part> parts(documents.size(), Part::train);
  const std::int64_t tests = std::min(kMostTest, count / 20);
  const std::int64_t validations = std::min(kMostValidation, count / 20);
  for (std::int64_t i = 0; i < tests + validations; ++i)
    parts[order[static_cast<std::size_t>(i)]] = i < tests ? Part::test : Part::validation;

  const Tokenizer& tokenizer = byte_tokenizer();
  check(tokenizer.vocabulary() <= kMostVocabulary, ErrorKind::config, "data", "the tokenizer ",
        tokenizer.name(), " has ", tokenizer.vocabulary(),
        " ids; training keeps texts as 16 bits an "
        "id, at most ",
        kMostVocabulary);
  TextData result;
  result.name = source.name;
  result.path = source.path;
  result.tokenizer = tokenizer.name();
  result.vocabulary = tokenizer.vocabulary();
  result.train.ids.reserve(bytes.size() + documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    TextSet& set = parts[i] == Part::train        ? result.train
                   : parts[i] == Part::validation ? result.validation
                                                  : result.test;
    try {
      append(set, documents[i], tokenizer);
    } catch (const Error& error) {
      fail(ErrorKind::io, source.path, "document ", i, " ", error.what());
    }
  }
  return result;
}

std::span<const KnownText> known_texts() { return kKnown; }

}  // namespace ffn::inline v0
