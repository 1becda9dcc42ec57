#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/base/process.h"
#include "ffn/base/timer.h"
#include "ffn/inference/generate.h"
#include "ffn/inference/known_models.h"
#include "ffn/inference/open_model.h"
#include "ffn/io/tokenizer/stream_decoder.h"
#include "ffn/train/interrupt.h"
#include "model_options.h"
#include "options.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct RunOptions {
  std::string model, prompt, system;
  bool raw = false;
  GenerateOptions generate;
  InferenceOptions inference;
  std::string output = "text";
};

std::string read_standard_input() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

// The ids of what the model goes on with.
std::vector<std::int32_t> prompt_ids(const RunOptions& options, const ModelFiles& files) {
  const std::string text = options.prompt == "-" ? read_standard_input() : options.prompt;
  std::vector<std::int32_t> ids;
  const bool plain = options.raw || files.chat.format() == ChatFormat::raw;
  if (!plain) {
    std::vector<ChatMessage> messages;
    if (!options.system.empty()) messages.push_back({"system", options.system});
    messages.push_back({"user", text});
    files.tokenizer->encode(files.chat.render(messages, true), {.add_special = false}, ids);
    return ids;
  }
  if (!options.raw && !files.chat.reason().empty()) say(files.chat.reason());
  check(options.system.empty(), ErrorKind::config, "--system",
        "this prompt is raw text, which has no system message");
  files.tokenizer->encode(text, {.parse_special = false}, ids);
  if (ids.empty()) ids.push_back(files.tokenizer->separator());
  return ids;
}

std::string_view end_text(GenerateEnd end) {
  switch (end) {
    case GenerateEnd::stop_id: return "stop";
    case GenerateEnd::interrupted: return "interrupted";
    case GenerateEnd::cache_full: return "context";
    case GenerateEnd::max_tokens: break;
  }
  return "max_tokens";
}

double per_second(std::int64_t tokens, double ms) {
  return ms > 0 ? static_cast<double>(tokens) * 1e3 / ms : 0;
}

nlohmann::ordered_json result_json(const std::string& text, const Generated& generated,
                                   double load_ms, std::int64_t ledger_peak) {
  const auto decoded = std::ssize(generated.ids) - 1;
  return {{"schema", 1},
          {"text", text},
          {"ids", generated.ids},
          {"end", end_text(generated.end)},
          {"prompt_tokens", generated.prompt_tokens},
          {"new_tokens", generated.ids.size()},
          {"load_ms", load_ms},
          {"prompt_ms", generated.prompt_ms},
          {"prompt_tokens_per_s", per_second(generated.prompt_tokens, generated.prompt_ms)},
          {"decode_ms", generated.decode_ms},
          {"decode_tokens_per_s", per_second(decoded, generated.decode_ms)},
          {"peak_bytes", ledger_peak},
          {"process_peak_bytes", process_peak_bytes()}};
}

std::string summary(const Generated& generated, double load_ms) {
  char text[200];
  std::snprintf(text, sizeof text,
                "%lld tokens read at %.0f/s, %zu written at %.1f/s; first after %.0f ms",
                static_cast<long long>(generated.prompt_tokens),
                per_second(generated.prompt_tokens, generated.prompt_ms), generated.ids.size(),
                per_second(std::ssize(generated.ids) - 1, generated.decode_ms),
                load_ms + generated.prompt_ms);
  return text;
}

void run(RunOptions& options) {
  const Stopwatch opening;
  const ModelFiles files = open_model_files(find_model(options.model));
  const std::vector<std::int32_t> prompt = prompt_ids(options, files);
  options.generate.stop_ids = files.tokenizer->special().end_of_turn;
  if (files.tokenizer->special().eos)
    options.generate.stop_ids.push_back(*files.tokenizer->special().eos);
  const auto tokens = static_cast<std::int64_t>(prompt.size());
  const std::int64_t bound = options.inference.context(files, tokens, options.generate.max_tokens);
  const Device device = options.inference.open(files, tokens, bound);
  Executor ex(device);
  const LoadedModel model(ex, files, options.inference.dtype());
  DecoderCache cache(ex, files.config, bound, options.inference.cache_dtype());
  const double load_ms = opening.elapsed_ms();

  const InterruptScope interrupt;
  StreamDecoder stream(*files.tokenizer);
  std::string text;
  const bool streams = options.output == "text";
  const auto show = [&](const std::string& piece) {
    text += piece;
    if (streams) print_result(piece);
  };
  const Generated generated =
      generate(ex, model.decoder(), cache, prompt, options.generate, [&](std::int32_t id) {
        show(stream.next(id));
        return interrupted() == 0;
      });
  show(stream.finish());
  if (streams) {
    print_result("\n");
    say(summary(generated, load_ms));
  } else {
    print_result(result_json(text, generated, load_ms, ex.report().peak_bytes).dump(2) + "\n");
  }
}

void add_sampling(CLI::App& verb, SamplerOptions& sampler) {
  verb.add_option("--temperature", sampler.temperature,
                  "0 takes the likeliest token each time; 1 draws by the model's probabilities")
      ->capture_default_str();
  verb.add_option("--top-k", sampler.top_k, "draw from the k likeliest tokens; 0: from all")
      ->capture_default_str();
  verb.add_option("--top-p", sampler.top_p,
                  "draw from the likeliest tokens that reach probability p together")
      ->capture_default_str();
  verb.add_option("--min-p", sampler.min_p,
                  "draw from tokens at least p times as likely as the likeliest")
      ->capture_default_str();
  verb.add_option("--seed", sampler.seed, "of the draws")->capture_default_str();
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "let a language model answer or go on with a text");
  verb->add_option("model", options->model,
                   "a Hugging Face folder, a GGUF file, or a name (ffn data get)")
      ->required();
  verb->add_option("prompt", options->prompt, "the text; - reads standard input")->required();
  verb->add_option("--system", options->system, "system message of a chat model");
  verb->add_flag("--raw", options->raw, "go on with the text as it is, without a chat template");
  verb->add_option("--max-tokens", options->generate.max_tokens, "tokens to write at most")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24).description(""))
      ->capture_default_str();
  add_sampling(*verb, options->generate.sampler);
  options->inference.add_to(*verb);
  verb->add_option("-o,--output", options->output,
                   "text, as it is written, or json: text, ids, times, memory")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("FORMAT")
      ->capture_default_str();
  add_example(*verb, "ffn run smollm2 'Why is the sky blue?'");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
