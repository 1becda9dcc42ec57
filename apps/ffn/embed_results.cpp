#include "embed_results.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "ffn/base/process.h"
#include "ffn/io/safetensors.h"

namespace ffn::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownNumbers = 4, kShownText = 60;

// The double that prints with the fewest digits that mean this float.
double shortest(float value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  double read = 0;
  std::from_chars(digits, end.ptr, read);
  return read;
}

std::span<const float> row_of(std::span<const float> values, std::size_t row, std::size_t width) {
  return values.subspan(row * width, width);
}

std::size_t dimensions(const EmbedResults& results) {
  return static_cast<std::size_t>(results.files.config.width);
}

std::vector<double> numbers(std::span<const float> values) {
  std::vector<double> read;
  for (const float value : values) read.push_back(shortest(value));
  return read;
}

std::int64_t tokens_of(const EmbedResults& results) {
  std::int64_t tokens = 0;
  for (const SentenceIds& text : results.ids) tokens += std::ssize(text.ids);
  return tokens;
}

std::int64_t cut_of(const EmbedResults& results) {
  std::int64_t cut = 0;
  for (const SentenceIds& text : results.ids) cut += text.cut ? 1 : 0;
  return cut;
}

double per_second(std::int64_t count, double ms) {
  return ms > 0 ? static_cast<double>(count) * 1e3 / ms : 0;
}

std::string first_numbers(std::span<const float> values) {
  std::string text = "[";
  for (std::size_t i = 0; i < std::min(values.size(), kShownNumbers); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.4f", i > 0 ? ", " : "",
                  static_cast<double>(values[i]));
    text += number;
  }
  return text + (values.size() > kShownNumbers ? ", …]" : "]");
}

Table texts_table(const EmbedResults& results) {
  Table table{{{"text"}, {"tokens", NumberStyle::count}, {"cut"}, {"embedding"}}, {}};
  for (std::size_t i = 0; i < results.texts.size(); ++i)
    table.add_row({shown_text(results.texts[i], kShownText), std::ssize(results.ids[i].ids),
                   results.ids[i].cut,
                   first_numbers(row_of(results.rows, i, dimensions(results)))});
  return table;
}

// A row per text: its place, then `values` [texts, width] under names of `prefix` and a number.
Table numbers_table(std::span<const float> values, std::size_t width, const std::string& prefix) {
  Table table{{{"text"}}, {}};
  for (std::size_t i = 0; i < width; ++i) table.columns.push_back({prefix + std::to_string(i)});
  for (std::size_t row = 0; row < values.size() / width; ++row) {
    std::vector<Cell> cells{static_cast<std::int64_t>(row)};
    for (const float value : row_of(values, row, width)) cells.emplace_back(shortest(value));
    table.add_row(std::move(cells));
  }
  return table;
}

Table summary_table(const EmbedResults& results, const std::string& out) {
  Table table{{{"model"},
               {"texts", NumberStyle::count},
               {"dimensions", NumberStyle::count},
               {"tokens", NumberStyle::count},
               {"cut", NumberStyle::count},
               {"texts_per_s"},
               {"peak_bytes", NumberStyle::bytes},
               {"out"}},
              {}};
  table.add_row({results.model, std::ssize(results.texts), results.files.config.width,
                 tokens_of(results), cut_of(results),
                 per_second(std::ssize(results.texts), results.embed_ms), results.peak_bytes, out});
  return table;
}

// A list in JSON with an element per line.
std::string lines(const std::vector<Json>& elements) {
  std::string text = "[";
  for (const Json& element : elements)
    text += (text.size() > 1 ? ",\n    " : "\n    ") +
            element.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text + "\n  ]";
}

std::string to_json(const EmbedResults& results) {
  const SentencePooling& pooling = results.files.pooling;
  const auto count = std::ssize(results.texts);
  const Json head = {
      {"schema", 1},
      {"model", results.model},
      {"dimensions", results.files.config.width},
      {"pooling", pooling.mode == SentencePooling::Mode::mean ? "mean" : "first_token"},
      {"normalised", pooling.normalise},
      {"most_tokens", results.files.tokens},
      {"load_ms", results.load_ms},
      {"embed_ms", results.embed_ms},
      {"texts_per_s", per_second(count, results.embed_ms)},
      {"tokens_per_s", per_second(tokens_of(results), results.embed_ms)},
      {"peak_bytes", results.peak_bytes},
      {"process_peak_bytes", process_peak_bytes()}};
  std::string text = head.dump(2, ' ', false, Json::error_handler_t::replace);
  text.resize(text.size() - 2);  // without "\n}"
  std::vector<Json> elements;
  for (std::size_t i = 0; i < results.texts.size(); ++i)
    elements.push_back({{"text", results.texts[i]},
                        {"tokens", results.ids[i].ids.size()},
                        {"cut", results.ids[i].cut},
                        {"embedding", numbers(row_of(results.rows, i, dimensions(results)))}});
  text += ",\n  \"embeddings\": " + lines(elements);
  if (!results.similarities.empty()) {
    elements.clear();
    for (std::size_t i = 0; i < results.texts.size(); ++i)
      elements.emplace_back(numbers(row_of(results.similarities, i, results.texts.size())));
    text += ",\n  \"similarities\": " + lines(elements);
  }
  return text + "\n}\n";
}

}  // namespace

std::string to_text(const EmbedResults& results, TableFormat format, const std::string& out) {
  if (!out.empty()) return to_text(summary_table(results, out), format);
  if (format == TableFormat::json) return to_json(results);
  const bool pairs = !results.similarities.empty();
  const auto cosines = [&] {
    return numbers_table(results.similarities, results.texts.size(), "cosine_");
  };
  if (format == TableFormat::csv)
    return to_text(pairs ? cosines() : numbers_table(results.rows, dimensions(results), "x"),
                   format);
  std::string text = to_text(texts_table(results), format);
  if (pairs) text += "\n" + to_text(cosines(), format);
  return text;
}

std::string summary(const EmbedResults& results) {
  const auto count = std::ssize(results.texts);
  char text[200];
  std::snprintf(text, sizeof text, "%lld %s of %lld tokens in %.0f ms, %.0f texts/s",
                static_cast<long long>(count), count == 1 ? "text" : "texts",
                static_cast<long long>(tokens_of(results)), results.embed_ms,
                per_second(count, results.embed_ms));
  std::string line(text);
  if (const std::int64_t cut = cut_of(results); cut > 0)
    line +=
        "; " + std::to_string(cut) + " cut at " + std::to_string(results.files.tokens) + " tokens";
  return line;
}

void write_embeddings(const std::string& path, const EmbedResults& results) {
  const auto count = std::ssize(results.texts);
  std::vector<SafetensorsSource> tensors{{"embeddings",
                                          DType::f32,
                                          {count, results.files.config.width},
                                          std::as_bytes(std::span(results.rows))}};
  if (!results.similarities.empty())
    tensors.push_back({"similarities",
                       DType::f32,
                       {count, count},
                       std::as_bytes(std::span(results.similarities))});
  write_safetensors(path, tensors, {{"format", "pt"}});
}

}  // namespace ffn::app
