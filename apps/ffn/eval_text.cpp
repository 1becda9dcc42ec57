#include "eval_text.h"

#include <cmath>
#include <filesystem>
#include <numbers>

#include "ffn/base/error.h"
#include "ffn/base/process.h"
#include "ffn/base/timer.h"
#include "ffn/inference/open_model.h"
#include "ffn/io/mapped_file.h"

namespace ffn::app {

void TextEvalOptions::add_to(CLI::App& verb) {
  verb.add_option("--window", score.window,
                  "models with a tokenizer: tokens seen at once; 0: as many as the model takes, at "
                  "most 2048")
      ->check(CLI::Range(0, 1 << 24).description(""))
      ->capture_default_str();
  verb.add_option("--stride", score.stride, "and of these so many are scored; 0: half the window")
      ->check(CLI::Range(0, 1 << 24).description(""))
      ->capture_default_str();
  verb.add_option("--activations", activations,
                  "models with a tokenizer: what products with quantised weights take them as: f32 "
                  "(that is --dtype) or int8")
      ->check(CLI::IsMember({"f32", "int8"}).description(""))
      ->type_name("PRECISION")
      ->capture_default_str();
  verb.add_option("--bytes", most_bytes, "and only the first bytes of the text are read; 0: all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40).description(""))
      ->capture_default_str();
}

bool has_own_tokenizer(const std::string& model) {
  return std::filesystem::is_regular_file(model) ||
         std::filesystem::exists(model + "/tokenizer.json");
}

Table score_text_model(const std::string& model, const std::string& data,
                       const TextEvalOptions& options, Device device, DType dtype) {
  constexpr std::string_view kText = "text:";
  check(data.starts_with(kText), ErrorKind::config, "--data", "'", data,
        "' is no text; this model reads text:PATH");
  device.activations = parse_activation_precision(options.activations);
  check(device.activations == ActivationPrecision::f32 || dtype != DType::f64, ErrorKind::config,
        "--activations", "int8 is made of activations of f32 or bf16, not f64");
  const MappedFile file(data.substr(kText.size()));
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  if (options.most_bytes > 0) text = text.substr(0, static_cast<std::size_t>(options.most_bytes));
  const ModelFiles files = open_model_files(model);
  std::vector<std::int32_t> ids;
  files.tokenizer->encode(text, {.parse_special = false}, ids);
  Executor ex(device);
  const LoadedModel loaded(ex, files, dtype);
  const Stopwatch watch;
  const TextScore score = score_text(ex, loaded.decoder(), ids, options.score);
  const double seconds = watch.elapsed_s();
  const double tokens = static_cast<double>(score.tokens);
  const auto bytes = static_cast<double>(text.size());
  const double mean_error = score.standard_error * score.perplexity();
  Table table{{{"model"},
               {"data"},
               {"perplexity"},
               {"standard_error"},
               {"bits_per_byte"},
               {"tokens", NumberStyle::count},
               {"bytes", NumberStyle::count},
               {"tokens_per_s"},
               {"peak_bytes", NumberStyle::bytes},
               {"process_peak_bytes", NumberStyle::bytes}},
              {}};
  table.add_row({model, data, score.perplexity(), mean_error,
                 score.nats / bytes / std::numbers::ln2, score.tokens,
                 static_cast<std::int64_t>(bytes), tokens / seconds, ex.report().peak_bytes,
                 process_peak_bytes()});
  return table;
}

}  // namespace ffn::app
