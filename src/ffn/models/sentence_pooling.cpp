#include "ffn/models/sentence_pooling.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/mapped_file.h"
#include "ffn/models/config_reader.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/norm.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const std::string& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

SentencePooling::Mode read_mode(const std::string& path) {
  const ConfigReader in(text_of(path), path);
  check(in.flag("include_prompt", true), ErrorKind::io, path,
        "leaves the prompt out ('include_prompt' is false); this library pools all tokens");
  std::string modes;
  for (const auto& [key, value] : in.json().items()) {
    if (key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>())
      modes.append(modes.empty() ? "" : ", ").append(key);
  }
  if (modes == "pooling_mode_mean_tokens") return SentencePooling::Mode::mean;
  if (modes == "pooling_mode_cls_token") return SentencePooling::Mode::first_token;
  fail(ErrorKind::io, path, "asks for '", modes,
       "'; this library has pooling_mode_mean_tokens or pooling_mode_cls_token");
}

// The default prompt; empty where there is none.
std::string read_prompt(const std::string& path) {
  if (!std::filesystem::exists(path)) return {};
  const ConfigReader in(text_of(path), path);
  if (!in.has("default_prompt_name")) return {};
  return in.section("prompts").text(in.text("default_prompt_name").c_str());
}

// The folder of a module: a name inside, never a way out.
std::string module_folder(const std::string& path, const Json& module) {
  const std::string name = module.value("path", std::string());
  check(name.find('/') == std::string::npos && name != "..", ErrorKind::io, path,
        "has a module at '", name.substr(0, 40), "'; expected the name of a folder beside it");
  return name;
}

// 1 for every row of text s at s, and 1/its number of rows.
struct TextIndex {
  Tensor of_row;   // i32 [N]
  Tensor firsts;   // i32 [S]; −1 for a text without rows
  Tensor inverse;  // [S, 1]
};

TextIndex index_texts(Executor& ex, const Tensor& offsets, std::int64_t N, DType dtype) {
  const std::int64_t S = offsets.shape().count() - 1;
  TextIndex index{ex.allocate({{N}, DType::i32, Role::activation}),
                  ex.allocate({{S}, DType::i32, Role::activation}),
                  ex.allocate({{S, 1}, dtype, Role::activation})};
  if (ex.dry()) return index;
  const std::span<const std::int32_t> begins = host_span<std::int32_t>(offsets);
  std::vector<double> inverse;
  for (std::size_t s = 0; s + 1 < begins.size(); ++s) {
    check(begins[s] <= begins[s + 1] && begins[s + 1] <= N, ErrorKind::shape, "pooling", "offsets ",
          offsets.shape(), " have ", begins[s], " before ", begins[s + 1],
          "; they must ascend from 0 to ", N);
    const std::int32_t rows = begins[s + 1] - begins[s];
    inverse.push_back(rows > 0 ? 1.0 / rows : 0);
    host_span<std::int32_t>(index.firsts)[s] = rows > 0 ? begins[s] : -1;
    for (std::int32_t row = begins[s]; row < begins[s + 1]; ++row)
      host_span<std::int32_t>(index.of_row)[static_cast<std::size_t>(row)] =
          static_cast<std::int32_t>(s);
  }
  set_host_values(index.inverse, inverse);
  return index;
}

}  // namespace

SentencePooling read_sentence_pooling(const std::string& folder) {
  SentencePooling pooling;
  const std::string lengths = folder + "/sentence_bert_config.json";
  if (std::filesystem::exists(lengths)) {
    const ConfigReader in(text_of(lengths), lengths);
    if (in.has("max_seq_length")) pooling.tokens = in.integer("max_seq_length", 1, 1 << 24);
    check(!in.flag("do_lower_case", false), ErrorKind::io, lengths,
          "wants texts in lower case before they are tokens ('do_lower_case'); this library leaves "
          "that to the tokenizer");
  }
  pooling.prompt = read_prompt(folder + "/config_sentence_transformers.json");
  const std::string path = folder + "/modules.json";
  if (!std::filesystem::exists(path)) return pooling;
  const Json modules = Json::parse(text_of(path), nullptr, false);
  check(modules.is_array(), ErrorKind::io, path, "is no list of modules");
  pooling.normalise = false;
  for (const Json& module : modules) {
    check(module.is_object() && module.contains("type") && module["type"].is_string() &&
              module.value("path", Json("")).is_string(),
          ErrorKind::io, path, "holds ", module.dump().substr(0, 40),
          "; expected a table with the strings 'type' and 'path'");
    const std::string type = module["type"];
    const std::string name = type.substr(type.rfind('.') + 1);
    if (name == "Pooling")
      pooling.mode = read_mode(folder + "/" + module_folder(path, module) + "/config.json");
    if (name == "Normalize") pooling.normalise = true;
    check(name == "Transformer" || name == "Pooling" || name == "Normalize", ErrorKind::io, path,
          "has a module '", type.substr(0, 80),
          "'; this library has Transformer, Pooling and Normalize");
  }
  return pooling;
}

Value pool_sentences(Executor& ex, const Value& x, const Tensor& offsets,
                     const SentencePooling& pooling) {
  const TextIndex index = index_texts(ex, offsets, x.rows(), gradient_dtype(x.dtype()));
  const std::int64_t S = offsets.shape().count() - 1;
  Value y;
  if (pooling.mode == SentencePooling::Mode::mean) {
    y = scatter_add_rows(ex, x, index.of_row, S);
    y = scale_rows(ex, std::move(y), ex.constant(index.inverse));
  } else {
    y = gather_rows(ex, x, index.firsts);
  }
  if (!pooling.normalise) return y;
  // y/√(mean y² + eps)/√D = y/√(Σy² + D·eps); eps keeps a row of zeros from 0/0.
  constexpr float kEps = 1e-24f;
  const auto D = static_cast<float>(x.cols());
  return scale(ex, rms_norm(ex, std::move(y), {}, kEps), 1 / std::sqrt(D));
}

}  // namespace ffn::inline v0
