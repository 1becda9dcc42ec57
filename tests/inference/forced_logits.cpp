// usage: forced_logits MODEL INPUTS OUT THREADS ACTIVATIONS: what a model foretells on a text that
// is given, for tools/peers/compare_llama.py. INPUTS is a safetensors file of texts `ids0`, `ids1`,
// … i32 [T] and, for each, how many of its ids are a prompt: `prompts` i32 [texts]. The prompt is
// read in one piece and the rest one id after another, as an answer is written; a row of logits f32
// [vocabulary] follows the prompt and each id but the last. Writes the rows of all texts to OUT,
// one after another.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "ffn/autograd/activation_precision.h"
#include "ffn/base/error.h"
#include "ffn/base/thread_pool.h"
#include "ffn/inference/ids_tensor.h"
#include "ffn/inference/open_model.h"
#include "ffn/io/checkpoint.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

std::vector<std::int32_t> read_ids(const TensorSource& source, const std::string& name) {
  const StoredTensor& stored = source.at(name);
  check(stored.dtype == DType::i32, ErrorKind::io, name, "must be i32");
  std::vector<std::int32_t> ids(static_cast<std::size_t>(stored.bytes) / sizeof(std::int32_t));
  std::memcpy(ids.data(), source.data(stored).data(), ids.size() * sizeof(std::int32_t));
  return ids;
}

void write_next(Executor& ex, const Decoder& model, DecoderCache& cache,
                std::span<const std::int32_t> ids, std::ofstream& out) {
  const EvalScope scope(ex);
  const StepScope step(ex);
  const Value logits = cast(ex, model.last_logits(ex, ids_tensor(ex, ids), cache), DType::f32);
  const auto bytes = std::as_bytes(host_span<float>(logits.tensor));
  out.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

void run(const std::string& path, const std::string& inputs, const std::string& out_path,
         int threads, const std::string& activations) {
  const auto source = open_checkpoint(inputs);
  const std::vector<std::int32_t> prompts = read_ids(*source, "prompts");
  const ModelFiles files = open_model_files(path);
  const auto pool = make_thread_pool(threads);
  Device device = cpu_device(*pool);
  device.activations = parse_activation_precision(activations);
  Executor ex(device);
  const LoadedModel model(ex, files, DType::f32);
  std::ofstream out(out_path, std::ios::binary);
  for (std::size_t text = 0; text < prompts.size(); ++text) {
    const std::vector<std::int32_t> ids = read_ids(*source, "ids" + std::to_string(text));
    const auto prompt = static_cast<std::size_t>(prompts[text]);
    check(prompt >= 1 && prompt < ids.size(), ErrorKind::config, "prompts",
          "each text has a prompt and at least one id after it");
    DecoderCache cache(ex, model.decoder().config(), std::ssize(ids), DType::f32);
    const std::span<const std::int32_t> all(ids);
    write_next(ex, model.decoder(), cache, all.first(prompt), out);
    for (std::size_t t = prompt; t + 1 < ids.size(); ++t)
      write_next(ex, model.decoder(), cache, all.subspan(t, 1), out);
  }
  check(out.good(), ErrorKind::io, out_path, "cannot be written");
}

}  // namespace
}  // namespace ffn

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: forced_logits MODEL INPUTS OUT THREADS ACTIVATIONS\n");
    return 2;
  }
  try {
    ffn::run(argv[1], argv[2], argv[3], std::atoi(argv[4]), argv[5]);
    return 0;
  } catch (const ffn::Error& error) {
    std::fprintf(stderr, "forced_logits: %s\n", error.what());
    return 3;
  }
}
