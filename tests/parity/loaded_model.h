// A fixture's checkpoint, written as transformers would have and read by this library.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "case_run.h"
#include "ffn/models/model_config.h"
#include "ffn/train/adamw.h"
#include "io/files.h"

namespace ffn::parity {

// config.json and model.safetensors of attr.config and the in.* arrays that are weights, matrices
// in `dtype` (f32, bf16 or f16: their numbers have 8 significant bits).
void write_folder(const Fixture& fixture, const std::filesystem::path& folder,
                  DType dtype = DType::f32);

// Fixtures of every family of decoders.
inline const std::string kDecoderFixtures[] = {
    "llama",     "llama_tied",       "llama3",        "llama_linear", "mistral", "gemma",
    "gemma2",    "gemma3",           "gemma3_capped", "mixtral",      "olmoe",   "olmoe_normalised",
    "qwen2_moe", "qwen2_moe_sparse", "deepseek",      "gpt2"};

AdamWOptions adamw_options_of(const Fixture& fixture);

inline Fixture model_fixture(const std::string& name) {
  return Fixture(std::filesystem::path(FFN_FIXTURES) / "models" / (name + ".safetensors"));
}

template <class Model, class Config>
class Loaded {
 public:
  Loaded(Executor& ex, const Fixture& fixture, DType dtype) {
    write_folder(fixture, folder_.path());
    const std::string folder = folder_.path().string();
    model_ = std::make_unique<Model>(std::get<Config>(read_model_config(folder)), parameters, 1,
                                     standard_designs());
    parameters.finalize(ex, dtype);
    read_model_weights(ex, folder, model_->stored_weights(), parameters);
  }
  const Model& model() const { return *model_; }
  std::string folder() const { return folder_.path().string(); }

  ParameterSet parameters;

 private:
  testing_io::TemporaryFolder folder_;
  std::unique_ptr<Model> model_;
};

// Losses of the fixture's steps under AdamW; `logits` computes those of the fixture's inputs.
std::vector<double> adamw_losses(Executor& ex, const Fixture& fixture, ParameterSet& parameters,
                                 const Tensor& labels, const std::function<Value()>& logits);

}  // namespace ffn::parity
