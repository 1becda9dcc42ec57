// Blocks of random bytes against the format's own Python package (tests/fixtures/block_cases.py).
#include <algorithm>

#include "ffn/base/blocks.h"
#include "ffn/io/safetensors.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

TEST(BlockValues, EqualTheFormatsOwnLibrary) {
  for (const DType dtype :
       {DType::q4_0, DType::q4_1, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
    SCOPED_TRACE(to_string(dtype));
    const std::string name(to_string(dtype));
    const SafetensorsFile file(FFN_FIXTURES "/blocks/" + name + ".safetensors");
    const auto blocks = file.data(file.at("blocks")), stored = file.data(file.at("values"));
    std::vector<float> expected(stored.size() / sizeof(float)), x(expected.size());
    std::memcpy(expected.data(), stored.data(), stored.size());
    const auto count = static_cast<std::int64_t>(x.size());
    ASSERT_GE(count, 12 * block_elements(dtype));
    ASSERT_EQ(static_cast<std::int64_t>(blocks.size()), dtype_bytes(dtype, count));
    dequantize_row(dtype, blocks.data(), count, x.data());
    // Both round the same sum once.
    EXPECT_EQ(x, expected);
  }
}

}  // namespace
}  // namespace ffn
