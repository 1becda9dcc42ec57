#include "case_run.h"

#include <algorithm>
#include <cmath>

#include "ffn/tensor/host.h"

namespace ffn::parity {
namespace {

ThreadPool& two_threads() {
  static const std::unique_ptr<ThreadPool> pool = make_thread_pool(2);
  return *pool;
}

}  // namespace

Device Place::device() const {
  return reference ? reference_device() : cpu_device(two_threads(), isa);
}

const std::vector<Place>& places() {
  static const std::vector<Place> all = [] {
    std::vector<Place> list{{"reference", true, Isa::scalar}};
    for (const Isa isa : supported_isas())
      list.push_back({std::string(to_string(isa)), false, isa});
    return list;
  }();
  return all;
}

double tolerance(const Fixture& fixture, const std::string& array, const Place& place) {
  if (place.reference) return 1e-12;
  return 4 * fixture.f32_error(array) + 4 * 0x1p-24;
}

void expect_close(const Array& expected, std::span<const double> found, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(found.size(), expected.values.size()) << what;
  double scale = 0;
  for (const double value : expected.values) scale = std::max(scale, std::abs(value));
  ASSERT_GT(expected.integer ? 1.0 : scale, 0) << what << " is all zero: nothing is compared";
  std::size_t worst = 0;
  double distance = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double here = std::abs(found[i] - expected.values[i]);
    if (here <= distance) continue;
    worst = i;
    distance = here;
    if (std::isnan(here)) break;  // nothing is worse
  }
  const double allowed = expected.integer ? 0 : tolerance * scale;
  EXPECT_LE(distance, allowed) << what << "[" << worst << "] is " << found[worst] << ", expected "
                               << expected.values[worst] << "; largest magnitude " << scale;
}

Tensor CaseRun::tensor(const Array& array, const Shape& shape, DType dtype, Role role) {
  Tensor result = ex.allocate_persistent({shape, dtype, role}, Tag::data);
  set_host_values(result, array.values);
  return result;
}

Value CaseRun::input(const std::string& name) {
  if (!fixture.has("in." + name)) return {};
  return input(name, fixture.at("in." + name).shape);
}

Value CaseRun::input(const std::string& name, const Shape& shape) {
  const auto found = inputs_.find(name);
  if (found != inputs_.end()) return found->second;
  Tensor data = tensor(fixture.at("in." + name), shape, dtype_, Role::activation);
  const Value value =
      fixture.has("grad." + name) ? ex.leaf(std::move(data)) : ex.constant(std::move(data));
  return inputs_.emplace(name, value).first->second;
}

Tensor CaseRun::index(const std::string& name) {
  const Array& array = fixture.at("in." + name);
  return tensor(array, array.shape, DType::i32, Role::activation);
}

State& CaseRun::state(const std::string& name) {
  const Array& array = fixture.at("in." + name);
  auto state = std::make_unique<State>();
  state->name = name;
  state->tensor = tensor(array, array.shape, dtype_, Role::state);
  return *(states_[name] = std::move(state));
}

void CaseRun::finish(const Value& y, const Place& place) {
  output("y", y.tensor);
  EXPECT_EQ(y.shape(), fixture.at("out.y").shape);
  if (fixture.has("seed"))
    ex.backward(y, tensor(fixture.at("seed"), y.shape(), dtype_, Role::activation));
  for (const auto& [key, expected] : fixture.arrays()) {
    const std::string name = key.substr(key.find('.') + 1);
    if (states_.contains(name)) continue;
    Tensor found;
    if (key.starts_with("out.")) {
      found = outputs_[name];
    } else if (key.starts_with("grad.")) {
      found = ex.gradient(inputs_[name]);
    } else {
      continue;
    }
    ASSERT_TRUE(found.defined()) << key << " was never computed";
    expect_close(expected, host_values(found),
                 expected.integer ? 0 : tolerance(fixture, key, place), key);
  }
}

void CaseRun::finish_states(const Place& place) {
  for (const auto& [name, state] : states_) {
    const std::string key = "out." + name;
    expect_close(fixture.at(key), host_values(state->tensor), tolerance(fixture, key, place), key);
  }
}

}  // namespace ffn::parity
