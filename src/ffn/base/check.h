// Asserts for programmer errors: active in every build that keeps FFN_ASSERTS (dev, sanitizers).
#pragma once

#if defined(FFN_ASSERTS)
namespace ffn::inline v0 {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}
#define FFN_ASSERT(condition) \
  ((condition) ? void(0) : ::ffn::assert_failed(#condition, __FILE__, __LINE__))
#else
#define FFN_ASSERT(condition) void(0)
#endif
