#include "console.h"
#include "embed_results.h"
#include "ffn/base/error.h"
#include "ffn/base/timer.h"
#include "ffn/inference/embed_texts.h"
#include "ffn/inference/known_models.h"
#include "ffn/train/interrupt.h"
#include "model_options.h"
#include "options.h"
#include "text_lines.h"
#include "verbs.h"

namespace ffn::app {
namespace {

struct EmbedVerb {
  std::string model, data, out;
  std::vector<std::string> texts;
  bool similarity = false;
  EmbedOptions embed;
  ComputeOptions compute;
  OutputOption output;
};

std::vector<std::string> texts_of(const EmbedVerb& options) {
  check(options.texts.empty() != options.data.empty(), ErrorKind::config, "embed",
        options.data.empty()
            ? "names no text; give texts, - for standard input, or --data text:PATH"
            : "takes texts or --data, not both");
  if (!options.data.empty()) return lines_of_data(options.data);
  if (options.texts == std::vector<std::string>{"-"}) return lines_of_standard_input();
  return options.texts;
}

std::vector<SentenceIds> ids_of(const EncoderFiles& files, const std::vector<std::string>& texts) {
  std::vector<SentenceIds> ids;
  ids.reserve(texts.size());
  for (const std::string& text : texts) ids.push_back(sentence_ids(files, text));
  return ids;
}

void run(EmbedVerb& options) {
  const std::vector<std::string> texts = texts_of(options);
  const Stopwatch opening;
  const EncoderFiles files = open_encoder_files(find_model(options.model));
  const Stopwatch encoding;
  const std::vector<SentenceIds> ids = ids_of(files, texts);
  const double ids_ms = encoding.elapsed_ms();
  const auto plan = [&](const Device& device) {
    return plan_embedding(device, files, options.compute.dtype(), ids, options.embed);
  };
  const Device device = options.compute.open(
      files.path, plan, std::to_string(texts.size()) + (texts.size() == 1 ? " text" : " texts"),
      "a smaller --batch or --dtype bf16 needs less");
  Executor ex(device);
  const LoadedEncoder encoder(ex, files, options.compute.dtype());
  EmbedResults results{.model = options.model,
                       .files = files,
                       .texts = texts,
                       .ids = ids,
                       .load_ms = opening.elapsed_ms() - ids_ms};

  const InterruptScope interrupt;
  Progress progress("embed");
  const std::int64_t batch = options.embed.batch;
  const std::int64_t batches = (std::ssize(texts) + batch - 1) / batch;
  const Stopwatch watch;
  results.rows =
      embed_texts(ex, encoder, files.pooling, ids, options.embed, [&](std::int64_t done) {
        if (batches > 1) progress.update((done + batch - 1) / batch, batches, "batches");
        return interrupted() == 0;
      });
  results.embed_ms = ids_ms + watch.elapsed_ms();
  if (interrupted() != 0) throw ExitCode{128 + interrupted()};
  results.peak_bytes = ex.report().peak_bytes;
  if (options.similarity)
    results.similarities = cosine_similarities(results.rows, files.config.width);
  if (!options.out.empty()) write_embeddings(options.out, results);
  print_result(to_text(results, options.output.format(), options.out));
  say(summary(results));
}

}  // namespace

void add_embed(CLI::App& app) {
  auto options = std::make_shared<EmbedVerb>();
  CLI::App* verb = app.add_subcommand("embed", "vectors of texts from a sentence encoder (BERT)");
  verb->add_option("model", options->model,
                   "a Hugging Face folder, or minilm (ffn data get minilm)")
      ->required();
  verb->add_option("texts", options->texts, "texts; - reads standard input, a text per line");
  verb->add_option("--data", options->data, "text:PATH of a file with a text per line");
  verb->add_flag("--similarity", options->similarity, "cosines of all pairs of the texts as well");
  verb->add_option("--out", options->out,
                   "write the numbers to this safetensors file instead: embeddings [texts, "
                   "dimensions], similarities")
      ->type_name("FILE");
  verb->add_option("--batch", options->embed.batch, "texts at once")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20).description(""))
      ->capture_default_str();
  options->compute.add_to(*verb);
  options->output.add_to(*verb);
  add_example(*verb, "ffn embed minilm 'A cat sits.' 'A dog runs.' --similarity");
  verb->callback([options] { run(*options); });
}

}  // namespace ffn::app
