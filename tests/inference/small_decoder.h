// A decoder with weights large enough that every path matters.
#pragma once

#include <vector>

#include "ffn/autograd/initialize.h"
#include "ffn/models/decoder.h"
#include "ffn/tensor/host.h"

namespace ffn::testing_inference {

inline constexpr std::int64_t kVocabulary = 13;

inline DecoderConfig small_config() {
  DecoderConfig config;
  config.vocabulary = kVocabulary;
  config.tokens = 700;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.feed_forward = standard_designs().parse("glu(silu, hidden=24)");
  return config;
}

struct SmallDecoder {
  explicit SmallDecoder(Executor& executor, const DecoderConfig& config = small_config())
      : ex(executor), model(config, parameters, 1, standard_designs()) {
    parameters.finalize(ex, DType::f32, false);
    initialize_all(ex, parameters, 7);
    for (Parameter& parameter : parameters.all()) {
      std::vector<double> values = host_values(parameter.master);
      for (double& value : values) value *= parameter.shape.rank() == 2 ? 15 : 1;
      set_host_values(parameter.master, values);
    }
    parameters.weights_changed(ex);
  }
  DecoderCache cache(std::int64_t bound) { return {ex, model.config(), bound, DType::f32}; }
  // Of the whole text at once, [T][vocabulary].
  std::vector<std::vector<double>> logits(const std::vector<std::int32_t>& text) {
    const EvalScope scope(ex);
    const Tensor ids = ex.allocate_persistent(
        {{static_cast<std::int64_t>(text.size())}, DType::i32, Role::activation}, Tag::data);
    std::copy(text.begin(), text.end(), host_span<std::int32_t>(ids).begin());
    const std::vector<double> all = host_values(model.logits(ex, ids, 1).tensor);
    std::vector<std::vector<double>> rows;
    for (std::size_t t = 0; t < text.size(); ++t)
      rows.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(t * kVocabulary),
                        all.begin() + static_cast<std::ptrdiff_t>((t + 1) * kVocabulary));
    return rows;
  }

  Executor& ex;
  ParameterSet parameters;
  Decoder model;
};

// `count` ids that repeat after a while.
inline std::vector<std::int32_t> some_text(std::size_t count) {
  std::vector<std::int32_t> text;
  for (std::size_t i = 0; i < count; ++i)
    text.push_back(static_cast<std::int32_t>((i * i + 3 * i) % kVocabulary));
  return text;
}

}  // namespace ffn::testing_inference
