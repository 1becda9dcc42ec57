// ffn eval of a language model that has its own tokenizer.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "ffn/inference/score_text.h"
#include "model_options.h"
#include "options.h"

namespace ffn::app {

struct TextEvalOptions {
  ScoreOptions score;
  std::int64_t most_bytes = 0;  // of the text; 0: all
  std::string activations = "f32";

  void add_to(CLI::App& verb);
};

// A GGUF file, or a folder with tokenizer.json.
bool has_own_tokenizer(const std::string& model);

// Perplexity and bits per byte of `model` on the text that --data names. Errors: io; config when
// the data are no text, or for int8 activations of f64.
Table score_text_model(const std::string& model, const std::string& data,
                       const TextEvalOptions& options, Device device, DType dtype);

}  // namespace ffn::app
