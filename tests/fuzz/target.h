// What a fuzz target is made of. A broken promise stops the process, so that libFuzzer and the
// replay both notice; an Error{io} is a good answer to bad bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "ffn/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ffn::fuzz {

inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// parse(bytes), which may throw Error{io} and nothing else.
template <class Parse>
int run(const std::uint8_t* data, std::size_t size, const Parse& parse) {
  try {
    parse(std::as_bytes(std::span(data, size)));
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::io, "bad bytes are an io error");
  }
  return 0;
}

}  // namespace ffn::fuzz
