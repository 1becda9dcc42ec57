#include "ffn/models/config_reader.h"

#include <algorithm>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"

namespace ffn::inline v0 {
namespace {

// transformers' name beside ours.
constexpr std::pair<std::string_view, std::string_view> kActivations[] = {
    {"gelu", "gelu"},          {"gelu_pytorch_tanh", "gelu_tanh"},
    {"gelu_new", "gelu_tanh"}, {"quick_gelu", "quick_gelu"},
    {"relu", "relu"},          {"relu2", "relu2"},
    {"silu", "silu"},          {"swish", "silu"},
    {"sigmoid", "sigmoid"},    {"tanh", "tanh"},
};

}  // namespace

ConfigReader::ConfigReader(std::string_view text, std::string_view where) : where_(where) {
  json_ = nlohmann::ordered_json::parse(text, nullptr, false);
  check(json_.is_object(), ErrorKind::io, where_,
        "is no JSON object; expected the config.json of a Hugging Face folder");
}

template <class T>
T ConfigReader::get(const char* key, std::string_view expected) const {
  check(has(key), ErrorKind::io, where_, "has no '", key, "'");
  const nlohmann::ordered_json& value = json_[key];
  bool fits = false;
  if constexpr (std::is_same_v<T, bool>) fits = value.is_boolean();
  if constexpr (std::is_same_v<T, std::int64_t>) fits = value.is_number_integer();
  if constexpr (std::is_same_v<T, double>) fits = value.is_number();
  if constexpr (std::is_same_v<T, std::string>) fits = value.is_string();
  check(fits, ErrorKind::io, where_, "'", key, "' is ", value.dump().substr(0, 40), "; expected ",
        expected);
  return value.get<T>();
}

std::int64_t ConfigReader::integer(const char* key, std::int64_t least, std::int64_t most) const {
  const std::int64_t value = get<std::int64_t>(key, "an integer");
  check(value >= least && value <= most, ErrorKind::io, where_, "'", key, "' is ", value,
        "; expected ", least, " to ", most);
  return value;
}

double ConfigReader::number(const char* key) const { return get<double>(key, "a number"); }
std::string ConfigReader::text(const char* key) const { return get<std::string>(key, "a string"); }
bool ConfigReader::flag(const char* key, bool otherwise) const {
  return has(key) ? get<bool>(key, "true or false") : otherwise;
}

std::vector<std::int64_t> ConfigReader::integers(const char* key, std::int64_t least,
                                                 std::int64_t most) const {
  check(has(key) && json_[key].is_array(), ErrorKind::io, where_, "'", key,
        "' is no list; expected one of integers");
  std::vector<std::int64_t> values;
  for (const nlohmann::ordered_json& value : json_[key]) {
    check(value.is_number_integer() && value >= least && value <= most, ErrorKind::io, where_, "'",
          key, "' holds ", value.dump().substr(0, 40), "; expected ", least, " to ", most);
    values.push_back(value.get<std::int64_t>());
  }
  return values;
}

ConfigReader ConfigReader::section(const char* key) const {
  check(has(key) && json_[key].is_object(), ErrorKind::io, where_, "'", key, "' is no table");
  ConfigReader inner;
  inner.json_ = json_[key];
  inner.where_ = where_ + ": " + key;
  return inner;
}

std::string_view ConfigReader::activation(const char* key) const {
  const std::string act = text(key);
  for (const auto& [theirs, ours] : kActivations)
    if (theirs == act) return ours;
  std::vector<std::string_view> known;
  for (const auto& each : kActivations) known.push_back(each.first);
  fail(ErrorKind::io, where_, key, " '", act, "' is not known here", did_you_mean(act, known));
}

std::string_view transformers_activation(std::string_view ours) {
  for (const auto& [theirs, mine] : kActivations)
    if (mine == ours) return theirs;
  return {};
}

}  // namespace ffn::inline v0
