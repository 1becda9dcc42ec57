// One feed-forward layer with its operands, as a benchmark runs it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ffn/autograd/parameters.h"
#include "ffn/autograd/prepared.h"
#include "ffn/bench/bench_case.h"
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {

struct NamedValues {
  std::string name;  // "y", "dx", or of a weight whose gradient this is
  std::vector<double> values;
};

// A layer of the standard designs on an executor of its own, with x, and dy where it is wanted.
// Weights start as their design says, linear maps uniform with deviation 0.02; x and dy are normal
// numbers that bf16 holds exactly, which depend on (row's id, column) alone.
class LayerRun {
 public:
  // Local row r has id row_ids[r]; without a sequence length all rows are one sequence. Errors:
  // config, shape: those of the design.
  LayerRun(const Device& device, DType dtype, const LayerCase& c,
           std::span<const std::int64_t> row_ids, std::uint64_t seed = 1);
  LayerRun(const LayerRun&) = delete;
  LayerRun& operator=(const LayerRun&) = delete;

  // One pass, as the case says.
  void run();
  // The same, read: y, and of a backward pass dx and every gradient.
  std::vector<NamedValues> results();
  // Weights as `other` multiplies with, rounded or not.
  void copy_weights(LayerRun& other);

  const FeedForward& layer() const { return *layer_; }
  std::int64_t peak_bytes() const { return ex_.report().peak_bytes; }

 private:
  Tensor numbers(const char* name, std::span<const std::int64_t> row_ids);
  void fix_choices(std::int64_t experts);
  std::int64_t choices_of_a_row();
  Value forward(Value x);

  LayerCase case_;
  DType dtype_;
  std::int64_t rows_, sequences_;
  Executor ex_;
  ParameterSet parameters_;
  PreparedWeights prepared_;
  std::unique_ptr<FeedForward> layer_;
  Tensor x_, dy_, choice_;
};

// Throws Error{config} when the design is unknown or cannot stand in such a layer, or `routing`
// does not fit it.
void check_layer_case(const LayerCase& c);
// 0, 1, …, count − 1.
std::vector<std::int64_t> first_rows(std::int64_t count);
// So many of `rows`, the first and the last among them.
std::vector<std::int64_t> spread_rows(std::int64_t rows, std::int64_t count);
// What a dry run of the case takes at its peak; equal to LayerRun::peak_bytes() after two passes.
std::int64_t predicted_layer_bytes(const Device& device, const LayerCase& c);

}  // namespace ffn::inline v0
