// Weights of a model in one safetensors file, checked to the last one.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/safetensors.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

// A file whose tensors become weights, one by one.
class WeightFile {
 public:
  explicit WeightFile(const std::string& path) : file_(path), path_(path) {}

  // Errors: io when there is none of that name.
  const std::vector<std::int64_t>& shape(std::string_view name) const {
    return file_.at(name).shape;
  }
  // Fills the weight's place with the tensor `name`; on a dry device it is checked only. Errors:
  // io.
  void read(Executor& ex, const StoredWeight& weight, const std::string& name) const;
  // Errors: io naming a tensor that is not in `used`.
  void check_used(const std::set<std::string>& used) const;

 private:
  SafetensorsFile file_;
  std::string path_;
};

// Fills the master (and nothing else: call ParameterSet::weights_changed()) of every weight. The
// file may hold f32, bf16, f16 or f64. On a dry device the names and shapes are still checked.
// Errors: io when a tensor is missing, unused, of another shape or without floats, each named with
// what was expected.
void read_weights(Executor& ex, const std::string& path, std::span<const StoredWeight> weights);

// Writes the masters as f32, with metadata format = pt, which transformers asks for. Errors: io.
void write_weights(const std::string& path, std::span<const StoredWeight> weights);

}  // namespace ffn::inline v0
