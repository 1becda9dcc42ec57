// One fixture file of tests/fixtures: what PyTorch computed for one case (see make_fixtures.py).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/tensor/shape.h"

namespace ffn::parity {

struct Array {
  Shape shape;
  bool integer = false;        // i32 in the file: compared exactly
  std::vector<double> values;  // row order
};

class Fixture {
 public:
  explicit Fixture(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  const std::string& op() const { return text("op"); }
  // Metadata under `key`; a missing key is an Error{io}.
  const std::string& text(const std::string& key) const;
  double number(const std::string& attribute) const;
  std::int64_t integer(const std::string& attribute) const;
  bool flag(const std::string& attribute) const;

  const std::map<std::string, Array>& arrays() const { return arrays_; }
  bool has(const std::string& array) const { return arrays_.contains(array); }
  const Array& at(const std::string& array) const;
  // Largest deviation of PyTorch's own f32 runs, as a share of the largest magnitude.
  double f32_error(const std::string& array) const;

 private:
  std::string name_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Array> arrays_;
};

// Every fixture file of one folder below tests/fixtures, sorted.
std::vector<std::filesystem::path> fixture_files(std::string_view folder);

}  // namespace ffn::parity
