// A model written as a GGUF file is the model: its names, sizes, pairs of queries and keys, its
// tokenizer, and what it will take.
#include "ffn/inference/open_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "ffn/inference/generate.h"
#include "inference/small_decoder.h"
#include "io/gguf_bytes.h"

namespace ffn {
namespace {

using namespace testing_inference;
using testing_io::expect_error;
using testing_io::GgufBytes;
using testing_io::TemporaryFolder;

std::string gguf_name(std::string name) {
  const std::pair<std::string_view, std::string_view> kParts[] = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"model.layers.", "blk."},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"}};
  for (const auto& [ours, theirs] : kParts)
    if (const std::size_t at = name.find(ours); at != std::string::npos)
      name.replace(at, ours.size(), theirs);
  return name;
}

// Rows i and i + W/2 of a head become rows 2i and 2i + 1.
std::vector<float> paired_rows(const std::vector<double>& values, std::size_t W, std::size_t D) {
  std::vector<float> paired(values.size());
  for (std::size_t row = 0; row < values.size() / D; ++row) {
    const std::size_t head = row / W, i = row % W;
    const std::size_t to = head * W + 2 * (i % (W / 2)) + i / (W / 2);
    for (std::size_t d = 0; d < D; ++d)
      paired[to * D + d] = static_cast<float>(values[row * D + d]);
  }
  return paired;
}

class OpenModel : public testing::Test {
 protected:
  std::unique_ptr<ThreadPool> pool_ = make_thread_pool(1);
  Executor ex_{cpu_device(*pool_)};
  SmallDecoder small_{ex_};
  TemporaryFolder folder_;
  std::map<std::string, std::uint32_t> numbers_ = {
      {"llama.context_length", 700},     {"llama.embedding_length", 16},
      {"llama.block_count", 2},          {"llama.feed_forward_length", 24},
      {"llama.attention.head_count", 2}, {"llama.attention.head_count_kv", 1}};
  std::string architecture_ = "llama";

  // 13 tokens: three of their own, ten letters.
  void add_tokens(GgufBytes& file) const {
    const char* const first[] = {"<unk>", "<s>", "</s>"};
    file.list("tokenizer.ggml.tokens", GgufType::text, kVocabulary);
    for (int i = 0; i < kVocabulary; ++i)
      file.text(i < 3 ? std::string(first[i]) : std::string(1, static_cast<char>('a' + i - 3)));
    file.list("tokenizer.ggml.scores", GgufType::f32, kVocabulary);
    for (int i = 0; i < kVocabulary; ++i) file.add(-1.0f);
    file.list("tokenizer.ggml.token_type", GgufType::i32, kVocabulary);
    for (int i = 0; i < kVocabulary; ++i) file.add(i == 0 ? 2 : i < 3 ? 3 : 1);
    file.key("tokenizer.ggml.model", GgufType::text).text("llama");
    file.key("tokenizer.ggml.bos_token_id", GgufType::u32).add(std::uint32_t{1});
    file.key("tokenizer.ggml.eos_token_id", GgufType::u32).add(std::uint32_t{2});
    file.key("tokenizer.ggml.unknown_token_id", GgufType::u32).add(std::uint32_t{0});
    file.key("tokenizer.ggml.add_space_prefix", GgufType::flag).add(std::uint8_t{0});
  }

  std::string write_file() {
    const auto& stored = small_.model.stored_weights();
    GgufBytes file;
    file.start(stored.size(), numbers_.size() + 2 + 8);
    file.key("general.architecture", GgufType::text).text(architecture_);
    file.key("llama.attention.layer_norm_rms_epsilon", GgufType::f32).add(1e-5f);
    for (const auto& [key, value] : numbers_) file.key(key, GgufType::u32).add(value);
    add_tokens(file);
    std::vector<std::vector<float>> data;
    std::uint64_t offset = 0;
    for (const StoredWeight& weight : stored) {
      const std::vector<double> values = host_values(weight.tensor());
      const bool turns = weight.name.find("q_proj") != std::string::npos ||
                         weight.name.find("k_proj") != std::string::npos;
      data.push_back(turns ? paired_rows(values, 8, 16)
                           : std::vector<float>(values.begin(), values.end()));
      const auto& s = weight.shape;
      if (s.size() == 1) {
        file.tensor(gguf_name(weight.name), {static_cast<std::uint64_t>(s[0])}, 0, offset);
      } else {
        file.tensor(gguf_name(weight.name),
                    {static_cast<std::uint64_t>(s[1]), static_cast<std::uint64_t>(s[0])}, 0,
                    offset);
      }
      offset += (data.back().size() * sizeof(float) + 31) / 32 * 32;
    }
    for (const std::vector<float>& values : data) {
      file.data(0);
      for (const float value : values) file.add(value);
    }
    file.data(0);
    const std::string path = folder_ / "model.gguf";
    testing_io::write_file(path, file.bytes);
    return path;
  }
};

TEST_F(OpenModel, IsTheModelThatWasWritten) {
  const ModelFiles files = open_model_files(write_file());
  EXPECT_EQ(files.config.kv_heads, 1);
  EXPECT_EQ(files.config.width_of_head(), 8);
  EXPECT_TRUE(files.config.tied_head);
  std::vector<std::int32_t> ids;
  files.tokenizer->encode("badge", {}, ids);
  EXPECT_EQ(ids, (std::vector<std::int32_t>{1, 4, 3, 6, 9, 7}));
  const LoadedModel loaded(ex_, files, DType::f32);
  EXPECT_GT(loaded.bytes().mapped, 0);
  DecoderCache cache(ex_, files.config, 40, DType::f32);
  DecoderCache own = small_.cache(40);
  const GenerateOptions options{.max_tokens = 20, .sampler = {.temperature = 1, .seed = 1}};
  EXPECT_EQ(generate(ex_, loaded.decoder(), cache, ids, options).ids,
            generate(ex_, small_.model, own, ids, options).ids);
}

TEST_F(OpenModel, PlansWhatATextTakes) {
  const ModelFiles files = open_model_files(write_file());
  const InferencePlan plan = plan_inference(ex_.device(), files, DType::f32, DType::f32, 20, 30);
  Executor ex(cpu_device(*pool_));
  const LoadedModel loaded(ex, files, DType::f32);
  DecoderCache cache(ex, files.config, 30, DType::f32);
  generate(ex, loaded.decoder(), cache, some_text(20), {.max_tokens = 10});
  EXPECT_LE(ex.report().peak_bytes, plan.own_bytes);
  EXPECT_EQ(plan.mapped_bytes, loaded.bytes().mapped);
  EXPECT_EQ(plan.copied_bytes, loaded.bytes().copied);
  EXPECT_LT(plan.mapped_bytes, files.weights->file_bytes());
  const InferencePlan longer = plan_inference(ex_.device(), files, DType::f32, DType::f32, 20, 60);
  EXPECT_GE(longer.own_bytes - plan.own_bytes, 30 * 2 * 2 * 8 * 4);
}

TEST_F(OpenModel, NamesWhatDoesNotFit) {
  const auto open = [&] { LoadedModel(ex_, open_model_files(write_file()), DType::f32); };
  numbers_["llama.expert_count"] = 8;
  expect_error(ErrorKind::io, {"llama.expert_count", "8"}, open);
  numbers_.erase("llama.expert_count");
  numbers_["llama.block_count"] = 3;
  expect_error(ErrorKind::io, {"blk.2.attn_"}, open);
  numbers_["llama.block_count"] = 1;
  expect_error(ErrorKind::io, {"blk.1."}, open);
  numbers_["llama.block_count"] = 2;
  numbers_["llama.feed_forward_length"] = 25;
  expect_error(ErrorKind::io, {"ffn_", "[24, 16]", "[25, 16]"}, open);
  numbers_["llama.feed_forward_length"] = 24;
  numbers_["llama.attention.head_count_kv"] = 3;
  expect_error(ErrorKind::io, {"head_count_kv", "3"}, open);
  numbers_["llama.attention.head_count_kv"] = 1;
  architecture_ = "llamma";
  expect_error(ErrorKind::io, {"general.architecture", "llamma", "llama"}, open);
}

}  // namespace
}  // namespace ffn
