// Oniguruma, which the library links, defines POSIX names of its own (cmake/FindOniguruma.cmake).
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <regex.h>

#include <cstdlib>

namespace ffn {
namespace {

const void* object_of(const void* symbol) {
  Dl_info info = {};
  return dladdr(symbol, &info) != 0 ? info.dli_fbase : nullptr;
}

TEST(PosixRegex, StaysThatOfLibc) {
  const void* libc = object_of(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"));
  ASSERT_NE(libc, nullptr);
  // In a sanitizer's program the first definition is its wrapper, which calls the next one.
  for (const char* name : {"regcomp", "regexec", "regfree", "regerror"})
    EXPECT_EQ(object_of(dlsym(RTLD_NEXT, name)), libc) << name;
  regex_t word = {};
  ASSERT_EQ(regcomp(&word, "^[[:alpha:]]+$", REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
  EXPECT_EQ(regexec(&word, "Gate", 0, nullptr, 0), 0);
  EXPECT_EQ(regexec(&word, "w1", 0, nullptr, 0), REG_NOMATCH);
  regfree(&word);
}

}  // namespace
}  // namespace ffn
