// Weights of a model in a checkpoint's files, checked to the last one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tensor_source.h"
#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

// A tensor of a checkpoint where it lies in a mapped file.
struct NamedTensor {
  std::string name;
  std::string dtype_name;           // as the file calls it
  std::vector<std::int64_t> shape;  // as in the file
  Tensor tensor = {};  // contiguous, [shape's rows, its last axis]; undefined for types that this
                       // library does not read (I64, …)
};

// Ends of the names of tensors that are no weights, and may be left unread.
using HarmlessNames = std::span<const std::string_view>;

// A file, or several as one, whose tensors become weights one by one.
class WeightFile {
 public:
  // Views of the source's mapped files, which outlive it.
  explicit WeightFile(const TensorSource& source);
  // Tensors from elsewhere; `where` names them in messages.
  WeightFile(std::string where, std::vector<NamedTensor> tensors);

  const std::string& where() const { return where_; }
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  // The tensor of the weight's name or its other one. Errors: io when there is none, when it has
  // another shape, or values that this library does not read.
  const NamedTensor& at(const StoredWeight& weight) const;
  // Errors: io when there is none of that name.
  const std::vector<std::int64_t>& shape(std::string_view name) const { return find(name).shape; }
  // Fills the weight's place with the tensor `name`, or its own; on a dry device it is checked
  // only. Errors: io.
  void read(Executor& ex, const StoredWeight& weight, const std::string& name) const;
  void read(Executor& ex, const StoredWeight& weight) const;
  // Errors: io naming a tensor that is not in `used` and not harmless.
  void check_used(const std::set<std::string>& used, HarmlessNames harmless = {}) const;

 private:
  const NamedTensor& find(std::string_view name) const;
  void check_fits(const NamedTensor& tensor, const StoredWeight& weight) const;
  void fill(Executor& ex, const StoredWeight& weight, const NamedTensor& tensor) const;

  std::string where_;
  std::vector<NamedTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

// Elements in row order, wherever they begin.
std::vector<double> values_of(const Tensor& tensor);

// Fills the master (and nothing else: call ParameterSet::weights_changed()) of every weight. The
// file may hold f32, bf16, f16, f64 or blocks. On a dry device the names and shapes are still
// checked. Errors: io when a tensor is missing, unused, of another shape or without floats, each
// named with what was expected.
void read_weights(Executor& ex, const WeightFile& file, std::span<const StoredWeight> weights,
                  HarmlessNames harmless = {});

// What a tensor of the file became.
struct WeightUse {
  std::string name;
  std::string became;  // "model.norm.weight", "rows 8 to 16 of …", "nothing: a buffer"
};
// One entry for every tensor of the file, in its order; a tensor that has no place "became" "".
std::vector<WeightUse> weight_uses(const WeightFile& file, std::span<const StoredWeight> weights,
                                   HarmlessNames harmless = {});

// Writes the masters as f32, with metadata format = pt, which transformers asks for. Errors: io.
void write_weights(const std::string& path, std::span<const StoredWeight> weights);

}  // namespace ffn::inline v0
