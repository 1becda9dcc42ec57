// Wrong inputs of attention: the message names it and what does not fit, before anything runs.
#include <gtest/gtest.h>

#include <functional>

#include "ffn/ops/attention.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

constexpr ErrorKind kShape = ErrorKind::shape, kDType = ErrorKind::dtype,
                    kConfig = ErrorKind::config;

struct WrongAttention {
  ErrorKind kind;
  std::vector<std::string> named;  // parts of the message
  Shape q, k, v;
  AttentionOptions options;
  std::int64_t sequences = 1;
  DType k_dtype = DType::f32;
};

Value zeros(Executor& ex, const Shape& shape, DType dtype) {
  const Tensor tensor = ex.allocate({shape, dtype});
  if (!ex.dry()) {
    set_host_values(tensor, std::vector<double>(static_cast<std::size_t>(shape.count()), 0));
  }
  return ex.leaf(tensor);
}

void expect_error(ErrorKind kind, const std::vector<std::string>& named,
                  const std::function<void()>& run) {
  try {
    run();
    ADD_FAILURE() << "no error that names " << named[0];
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "attention") << error.what();
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string& part : named)
      EXPECT_NE(error.detail().find(part), std::string::npos) << part << " in: " << error.what();
  }
}

const WrongAttention kWrong[] = {
    {kConfig, {"0 heads"}, {4, 6}, {4, 6}, {4, 6}, {.heads = 0}},
    {kConfig, {"4 heads", "3 key heads"}, {4, 8}, {4, 6}, {4, 6}, {.heads = 4, .kv_heads = 3}},
    {kConfig, {"-2 key heads"}, {4, 8}, {4, 6}, {4, 6}, {.heads = 4, .kv_heads = -2}},
    {kConfig, {"scale", "inf"}, {4, 6}, {4, 6}, {4, 6}, {.scale = HUGE_VALF}},
    {kConfig, {"logit_cap -1"}, {4, 6}, {4, 6}, {4, 6}, {.logit_cap = -1}},
    {kConfig, {"window -1"}, {4, 6}, {4, 6}, {4, 6}, {.window = -1}},
    {kConfig, {"0 sequences"}, {4, 6}, {4, 6}, {4, 6}, {}, 0},
    {kConfig, {"0 sequences"}, {4, 6}, {4, 6}, {4, 6}, {}, -1},
    {kDType, {"bf16", "f32", "[4, 6]"}, {4, 6}, {4, 6}, {4, 6}, {}, 1, DType::bf16},
    {kShape, {"[4, 6]", "[5, 6]"}, {4, 6}, {4, 6}, {5, 6}, {}},
    {kShape, {"[4, 6]", "[4, 5]"}, {4, 6}, {4, 6}, {4, 5}, {}},
    {kShape, {"[4, 7]", "2 heads"}, {4, 7}, {4, 6}, {4, 6}, {.heads = 2}},
    {kShape, {"[4, 0]", "2 heads"}, {4, 0}, {4, 0}, {4, 0}, {.heads = 2}},
    {kShape,
     {"[4, 8]", "[4, 8]", "4 columns"},
     {4, 8},
     {4, 8},
     {4, 8},
     {.heads = 2, .kv_heads = 1}},
    {kShape, {"[6, 8]", "[8, 8]", "4 sequences"}, {6, 8}, {8, 8}, {8, 8}, {}, 4},
    {kShape, {"[8, 8]", "[6, 8]", "4 sequences"}, {8, 8}, {6, 8}, {6, 8}, {}, 4},
};

TEST(AttentionErrors, NameTheOperationAndWhatDoesNotFit) {
  for (const Device& device : {cpu_device(serial_pool()), dry_device(cpu_device(serial_pool()))}) {
    for (const WrongAttention& wrong : kWrong) {
      Executor ex(device);
      expect_error(wrong.kind, wrong.named, [&] {
        attention(ex, zeros(ex, wrong.q, DType::f32), zeros(ex, wrong.k, wrong.k_dtype),
                  zeros(ex, wrong.v, DType::f32), wrong.sequences, wrong.options);
      });
    }
  }
}

struct WrongOffsets {
  ErrorKind kind;
  std::vector<std::string> named;
  std::vector<double> offsets;
  DType dtype = DType::i32;
  std::int64_t key_rows = 5;
};

TEST(AttentionErrors, OffsetsAreAPartitionOfTheRows) {
  const WrongOffsets all[] = {
      {kShape, {"from 1 to 5", "5 rows"}, {1, 5}},
      {kShape, {"from 0 to 4", "5 rows"}, {0, 4}},
      {kShape, {"fall from 3 to 2", "sequence 1"}, {0, 3, 2, 5}},
      {kShape, {"entry 1", "6"}, {0, 6, 5}},
      {kShape, {"entry 1", "-1"}, {0, -1, 5}},
      {kShape, {"[0]", "[5, 6]"}, {}},
      {kShape, {"[5, 6]", "[4, 6]", "ragged"}, {0, 5}, DType::i32, 4},
      {kDType, {"offsets", "f32"}, {0, 5}, DType::f32},
  };
  for (const WrongOffsets& wrong : all) {
    Executor ex(cpu_device(serial_pool()));
    const Tensor offsets =
        ex.allocate({{static_cast<std::int64_t>(wrong.offsets.size())}, wrong.dtype});
    set_host_values(offsets, wrong.offsets);
    expect_error(wrong.kind, wrong.named, [&] {
      attention(ex, zeros(ex, {5, 6}, DType::f32), zeros(ex, {wrong.key_rows, 6}, DType::f32),
                zeros(ex, {wrong.key_rows, 6}, DType::f32), offsets, {});
    });
  }
}

}  // namespace
}  // namespace ffn::test
