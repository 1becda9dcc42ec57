#include "fixture.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "ffn/base/error.h"
#include "ffn/io/safetensors.h"

namespace ffn::parity {
namespace {

template <class T>
std::vector<double> widen(std::span<const std::byte> data) {
  std::vector<double> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T element;
    std::memcpy(&element, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(element);
  }
  return values;
}

Shape to_shape(const std::vector<std::int64_t>& axes, std::string_view where) {
  switch (axes.size()) {
    case 1: return {axes[0]};
    case 2: return {axes[0], axes[1]};
    case 3: return {axes[0], axes[1], axes[2]};
    case 4: return {axes[0], axes[1], axes[2], axes[3]};
    default:
      fail(ErrorKind::io, where, "a fixture tensor has ", axes.size(), " axes, expected 1 to 4");
  }
}

}  // namespace

Fixture::Fixture(const std::filesystem::path& path) : name_(path.stem().string()) {
  const SafetensorsFile file(path.string());
  metadata_ = file.metadata();
  check(text("schema") == "1", ErrorKind::io, path.string(), "schema ", text("schema"),
        ", expected 1");
  for (const StoredTensor& tensor : file.tensors()) {
    Array array{to_shape(tensor.shape, path.string()), tensor.dtype == DType::i32, {}};
    const auto data = file.data(tensor);
    if (tensor.dtype == DType::f64) {
      array.values = widen<double>(data);
    } else if (tensor.dtype == DType::f32) {
      array.values = widen<float>(data);
    } else if (tensor.dtype == DType::i32) {
      array.values = widen<std::int32_t>(data);
    } else {
      fail(ErrorKind::io, path.string(), "tensor ", tensor.name, " is ", tensor.dtype_name);
    }
    arrays_.emplace(tensor.name, std::move(array));
  }
}

const std::string& Fixture::text(const std::string& key) const {
  const auto found = metadata_.find(key);
  check(found != metadata_.end(), ErrorKind::io, name_, "no metadata '", key, "'");
  return found->second;
}

double Fixture::number(const std::string& attribute) const {
  return std::stod(text("attr." + attribute));
}

std::int64_t Fixture::integer(const std::string& attribute) const {
  return std::stoll(text("attr." + attribute));
}

bool Fixture::flag(const std::string& attribute) const {
  const std::string& value = text("attr." + attribute);
  check(value == "True" || value == "False", ErrorKind::io, name_, "attr.", attribute, " is ",
        value);
  return value == "True";
}

const Array& Fixture::at(const std::string& array) const {
  const auto found = arrays_.find(array);
  check(found != arrays_.end(), ErrorKind::io, name_, "no tensor '", array, "'");
  return found->second;
}

double Fixture::f32_error(const std::string& array) const {
  return std::stod(text("f32_error." + array));
}

std::vector<std::filesystem::path> fixture_files(std::string_view folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(FFN_FIXTURES) / folder))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ffn::parity
