// A model's weights. Trainable ones live in one flat arena, and gradients mirror it, so that the
// optimizer, clipping, all-reduce and transfer are one pass over memory.
//
//   weights    | decayed …                    | not decayed …      |   f32 (f64, c128 on reference)
//   gradients  | the same offsets                                  |   same type; none for c128
//   shadow     | the same offsets, rounded each step               |   bf16, when computing in bf16
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/autograd/state.h"
#include "ffn/autograd/value.h"

namespace ffn::inline v0 {

// First values of a weight; z is the i-th number of the stream (seed, parameter's name), so two
// models with one seed share every weight of equal name and shape, whatever else they contain.
struct Init {
  enum class Kind : std::uint8_t {
    constant,          // w[i] = mean
    normal,            // w[i] = mean + std·z, z standard normal
    truncated_normal,  // the same with z conditioned on |z| ≤ 2
    uniform,           // w[i] = mean + std·z, z uniform in (−1, 1)
  };
  Kind kind = Kind::constant;
  double mean = 0;
  double std = 0;
};

// First values of the next `elements` elements.
struct InitPart {
  std::int64_t elements = 0;
  Init init;
};

struct ParameterOptions {
  bool decay = true;            // takes part in weight decay (matrices: yes; norms and biases: no)
  bool full_precision = false;  // stays f32 under bf16: norms, routers, statistics
  bool frozen = false;          // never trained: in an arena of its own, without a gradient
  Init init = {};
  // Where one buffer holds several matrices: their first values, one after another, in place of
  // `init`. Together as many elements as the parameter has.
  std::vector<InitPart> parts = {};
  // Where rows belong to several matrices: the names under which a file holds them, each an equal
  // share of the rows.
  std::vector<std::string> block_names = {};
};

struct Parameter {
  std::string name;
  std::vector<std::string> tied_names;  // other names of the same slot
  Shape shape;
  ParameterOptions options;
  Tensor master;  // its view of the weight arena; undefined when frozen or given from outside
  Tensor value;   // what operations read: master, its bf16 shadow, or the frozen tensor
  GradientSlot slot;
  std::uint64_t version = 0;  // grows with every change: prepared forms of an older one are dropped

  bool trainable() const { return master.defined(); }
  // Where a file's values go.
  const Tensor& stored() const { return trainable() ? master : value; }
};

class ParameterSet {
 public:
  ParameterSet() = default;
  ParameterSet(const ParameterSet&) = delete;
  ParameterSet& operator=(const ParameterSet&) = delete;

  // A weight of the model, trainable unless options.frozen. Throws Error{config} for a repeated
  // name or after finalize().
  Parameter& add(std::string_view name, const Shape& shape, const ParameterOptions& options = {});
  // A frozen, quantised or mapped weight: a view outside the arena, without gradient.
  Parameter& add_frozen(std::string_view name, Tensor tensor);
  // Before finalize(): the weight is `tensor`, which lies elsewhere and may be f16 or blocks: a
  // frozen view, outside the arena, without gradient. Throws Error{shape} when rows or columns
  // differ, Error{config} after finalize().
  void place(Parameter& parameter, const Tensor& tensor);
  // A second name for one weight (tied embedding and head): one slot, one gradient.
  void tie(std::string_view name, Parameter& parameter);

  // Running statistics and the like, [first_rows.size(), cols]: row r starts as first_rows[r] and
  // stands in a file under row_names[r]. `name` is the state's in checkpoints of training. Throws
  // Error{config} for a repeated name or after finalize().
  State& add_state(std::string_view name, std::int64_t cols, std::vector<double> first_rows,
                   std::vector<std::string> row_names);

  // Lays the arena out and allocates it: weights and gradients zero, 64-byte aligned (bf16 shadows
  // too: each weight starts at a multiple of 32 elements). `compute` is f32, bf16, f64 or c128.
  // Bytes: 4·n weights + 4·n gradients (unless only values are wanted) + 2·n shadow (bf16 only);
  // n = elements with their padding. States take 4 bytes an element (8, 16 on the reference),
  // frozen weights those of `compute`.
  void finalize(Executor& executor, DType compute, bool with_gradients = true);
  bool finalized() const { return finalized_; }
  DType compute() const { return compute_; }  // of finalize()

  // Throws Error{config} when there is no such name (the nearest one is named).
  Parameter& at(std::string_view name);
  Parameter* find(std::string_view name);
  std::deque<Parameter>& all() { return parameters_; }
  std::deque<State>& states() { return states_; }

  // The flat arenas as [1, elements]; gradients and shadow may be undefined.
  const Tensor& weights() const { return weights_; }
  const Tensor& gradients() const { return gradients_; }
  const Tensor& shadow() const { return shadow_; }
  // The weights that options.frozen keeps out of training, [1, elements], in the compute dtype;
  // undefined when there are none.
  const Tensor& frozen() const { return frozen_; }
  // Elements [0, decayed) take part in weight decay.
  std::int64_t decayed_elements() const { return decayed_elements_; }
  std::int64_t elements() const { return elements_; }

  // The next contribution to each gradient overwrites it.
  void reset_gradients();
  // Zeroes the gradients that no operation reached, so that a pass over the arena is right.
  void complete_gradients(Executor& executor);
  // After the masters changed: rounds the shadow anew (unless the optimizer did) and outdates
  // prepared forms.
  void weights_changed(Executor& executor, bool shadow_written = false);

 private:
  Parameter& insert(std::string_view name);

  std::deque<Parameter> parameters_;  // stable addresses
  std::deque<State> states_;          // likewise
  bool finalized_ = false;
  DType compute_ = DType::f32;
  void allocate_frozen(Executor& executor, DType compute);

  Tensor weights_, gradients_, shadow_, frozen_;
  std::int64_t decayed_elements_ = 0, elements_ = 0;
};

}  // namespace ffn::inline v0
