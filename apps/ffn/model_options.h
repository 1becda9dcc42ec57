// Options of the verbs that use a language model as it is.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "ffn/base/thread_pool.h"
#include "ffn/inference/open_model.h"

namespace ffn::app {

// --context, --threads, --dtype, --activations, --cache, --memory
class InferenceOptions {
 public:
  void add_to(CLI::App& verb);

  DType dtype() const { return dtype_ == "bf16" ? DType::bf16 : DType::f32; }
  DType cache_dtype() const { return cache_ == "bf16" ? DType::bf16 : DType::f32; }
  // Tokens that the cache holds: --context, or what prompt and answer need, at most what the model
  // is made for. Errors: config when the prompt leaves no room for an answer.
  std::int64_t context(const ModelFiles& files, std::int64_t prompt, std::int64_t answer) const;
  // The device, whose pool this keeps. Errors: device when the plan of such a text exceeds
  // --memory.
  Device open(const ModelFiles& files, std::int64_t prompt, std::int64_t bound);

 private:
  int threads_ = 0;
  std::int64_t context_ = 0;
  std::string dtype_ = "f32", activations_ = "auto", cache_ = "f32", memory_;
  std::unique_ptr<ThreadPool> pool_;
};

// "2G", "512M", "1.5GiB", "1000000" → bytes; K, M and G count in 1024. Errors: config.
std::int64_t parse_bytes(const std::string& text, const char* option);

}  // namespace ffn::app
