#include "ffn/base/check.h"

#if defined(FFN_ASSERTS)
#include <cstdio>
#include <cstdlib>

namespace ffn::inline v0 {

void assert_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ffn::inline v0
#endif
