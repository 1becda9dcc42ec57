// The arithmetic limit of one core: multiply-adds on registers alone, per instruction set.
#pragma once

#include <cstdint>

namespace ffn::bench {

namespace scalar {
std::int64_t run_fma(std::int64_t rounds);
}
namespace avx2 {
std::int64_t run_fma(std::int64_t rounds);
}
namespace avx512 {
std::int64_t run_fma(std::int64_t rounds);
}
namespace avx512_bf16 {
std::int64_t run_fma(std::int64_t rounds);
}

}  // namespace ffn::bench
