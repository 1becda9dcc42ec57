// Options of the verbs that use a model as it is.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ffn/base/thread_pool.h"
#include "ffn/inference/open_model.h"

namespace ffn::app {

// --threads, --dtype, --memory
class ComputeOptions {
 public:
  void add_to(CLI::App& verb);

  DType dtype() const { return dtype_ == "bf16" ? DType::bf16 : DType::f32; }
  // The device, whose pool this keeps. `plan` is asked where there is a --memory. Errors: device
  // when it exceeds that; the message names `path`, what it is planned for and what needs less.
  Device open(const std::string& path, const std::function<InferencePlan(const Device&)>& plan,
              const std::string& for_what, std::string_view advice);

 private:
  int threads_ = 0;
  std::string dtype_ = "f32", memory_;
  std::unique_ptr<ThreadPool> pool_;
};

// --context, --cache, --activations and those above, of a language model.
class InferenceOptions {
 public:
  void add_to(CLI::App& verb);

  DType dtype() const { return compute_.dtype(); }
  DType cache_dtype() const { return cache_ == "bf16" ? DType::bf16 : DType::f32; }
  // Tokens that the cache holds: --context, or what prompt and answer need, at most what the model
  // is made for. Errors: config when --context is more than that, or when the prompt leaves no room
  // for an answer.
  std::int64_t context(const ModelFiles& files, std::int64_t prompt, std::int64_t answer) const;
  // The device, whose pool this keeps. Errors: device when the plan of such a text exceeds
  // --memory.
  Device open(const ModelFiles& files, std::int64_t prompt, std::int64_t bound);

 private:
  ComputeOptions compute_;
  std::int64_t context_ = 0;
  std::string cache_ = "f32", activations_ = "auto";
};

// "2G", "512M", "1.5GiB", "1000000" → bytes; K, M and G count in 1024. Errors: config.
std::int64_t parse_bytes(const std::string& text, const char* option);

}  // namespace ffn::app
