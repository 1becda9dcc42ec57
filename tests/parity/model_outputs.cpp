// usage: model_outputs decoder|bert FOLDER INPUTS OUT: runs the model of a Hugging Face folder on
// `ids` i32 [B, T] of a safetensors file and writes OUT/outputs.safetensors with what it gives in
// f32, [B·T, …]: `whole` (logits of a decoder, hidden states of BERT, as transformers has them),
// `cached` (a decoder's, one id after another) and `embedding` (BERT's mean, of length 1); and
// OUT/model, the folder as this library writes it. For tools/model_parity.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/checkpoint.h"
#include "ffn/io/safetensors.h"
#include "ffn/models/bert.h"
#include "ffn/models/model_config.h"
#include "ffn/models/sentence_pooling.h"
#include "ffn/models/weight_file.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

struct Outputs {
  std::vector<std::string> names;
  std::vector<std::vector<float>> values;

  void add(const char* name, const std::vector<double>& found) {
    names.emplace_back(name);
    values.emplace_back(found.begin(), found.end());
  }
  void write(const std::string& path) const {
    std::vector<SafetensorsSource> sources;
    for (std::size_t i = 0; i < names.size(); ++i)
      sources.push_back({names[i],
                         DType::f32,
                         {std::ssize(values[i])},
                         std::as_bytes(std::span<const float>(values[i]))});
    write_safetensors(path, sources);
  }
};

Tensor index_tensor(Executor& ex, std::span<const std::int32_t> values) {
  const Tensor made =
      ex.allocate_persistent({{std::ssize(values)}, DType::i32, Role::activation}, Tag::data);
  std::ranges::copy(values, host_span<std::int32_t>(made).begin());
  return made;
}

void run_decoder(Executor& ex, const std::string& folder, std::span<const std::int32_t> ids,
                 std::int64_t T, const std::string& out) {
  const ModelConfig config = read_model_config(folder);
  ParameterSet parameters;
  const Decoder model(std::get<DecoderConfig>(config), parameters, 0, standard_designs());
  parameters.finalize(ex, DType::f32, false);
  read_model_weights(ex, folder, model.stored_weights(), parameters);
  const EvalScope scope(ex);
  Outputs outputs;
  outputs.add("whole",
              host_values(model.logits(ex, index_tensor(ex, ids), std::ssize(ids) / T).tensor));
  std::vector<double> cached;
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(T)) {
    DecoderCache cache(ex, model.config(), T, DType::f32);
    for (std::size_t t = 0; t < static_cast<std::size_t>(T); ++t) {
      const Tensor id = index_tensor(ex, ids.subspan(begin + t, 1));
      for (const double logit : host_values(model.last_logits(ex, id, cache).tensor))
        cached.push_back(logit);
    }
  }
  outputs.add("cached", cached);
  outputs.write(out + "/outputs.safetensors");
  write_model_folder(out + "/model", model.config(), model.stored_weights());
}

void run_bert(Executor& ex, const std::string& folder, std::span<const std::int32_t> ids,
              std::int64_t T, const std::string& out) {
  ParameterSet parameters;
  const Bert model(read_bert_config(folder), parameters, standard_designs());
  parameters.finalize(ex, DType::f32, false);
  read_weights(ex, WeightFile(*open_checkpoint(folder)), model.stored_weights(),
               bert_harmless_names());
  const EvalScope scope(ex);
  std::vector<std::int32_t> offsets;
  for (std::int64_t row = 0; row <= std::ssize(ids); row += T)
    offsets.push_back(static_cast<std::int32_t>(row));
  const Tensor begins = index_tensor(ex, offsets);
  const Value hidden = model.hidden(ex, index_tensor(ex, ids), begins);
  Outputs outputs;
  outputs.add("whole", host_values(hidden.tensor));
  outputs.add("embedding", host_values(pool_sentences(ex, hidden, begins, {}).tensor));
  outputs.write(out + "/outputs.safetensors");
  std::filesystem::create_directories(out + "/model");
  write_weights(out + "/model/model.safetensors", model.stored_weights());
  AtomicFile config(out + "/model/config.json");
  config.write(bert_config_json(model.config()));
  config.commit();
}

int run(std::string_view kind, const std::string& folder, const std::string& inputs,
        const std::string& out) {
  const auto source = open_checkpoint(inputs);
  const StoredTensor& stored = source->at("ids");
  std::vector<std::int32_t> ids(static_cast<std::size_t>(stored.bytes) / sizeof(std::int32_t));
  std::memcpy(ids.data(), source->data(stored).data(), ids.size() * sizeof(std::int32_t));
  Executor ex(cpu_device(serial_pool()));
  (kind == "bert" ? run_bert : run_decoder)(ex, folder, ids, stored.shape.at(1), out);
  return 0;
}

}  // namespace
}  // namespace ffn

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: model_outputs decoder|bert FOLDER INPUTS OUT\n");
    return 2;
  }
  try {
    return ffn::run(argv[1], argv[2], argv[3], argv[4]);
  } catch (const ffn::Error& error) {
    std::fprintf(stderr, "model_outputs: %s\n", error.what());
    return 3;
  }
}
