// What ffn embed prints and writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/inference/open_encoder.h"
#include "ffn/report/table.h"

namespace ffn::app {

struct EmbedResults {
  std::string model;
  const EncoderFiles& files;
  const std::vector<std::string>& texts;
  const std::vector<SentenceIds>& ids;
  double load_ms = 0;
  double embed_ms = 0;  // from texts to vectors
  std::int64_t peak_bytes = 0;
  std::vector<float> rows = {};          // [texts, dimensions]
  std::vector<float> similarities = {};  // [texts, texts], or empty
};

// The whole result. md: a line per text with its first numbers, and the cosines; csv: a line per
// text with all its numbers, or its cosines where there are any; json: everything. Where the
// numbers went to the file `out`, a line about all texts.
std::string to_text(const EmbedResults& results, TableFormat format, const std::string& out);
// "3 texts of 27 tokens in 8 ms, 375 texts/s".
std::string summary(const EmbedResults& results);
// A safetensors file with `embeddings` [texts, dimensions] and, where there are any, `similarities`
// [texts, texts], f32. Errors: io.
void write_embeddings(const std::string& path, const EmbedResults& results);

}  // namespace ffn::app
