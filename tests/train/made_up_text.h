// A small text in memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "ffn/base/philox.h"
#include "ffn/train/text_data.h"

namespace ffn::test {

// Documents of made-up words, so that there is something to learn.
inline TextSet made_up_documents(const char* name, std::int64_t documents) {
  constexpr std::string_view kWords[] = {"feed ", "forward ", "gate ", "value ", "key ", "neuron "};
  const RandomStream stream(4, name);
  TextSet set;
  std::uint64_t element = 0;
  for (std::int64_t i = 0; i < documents; ++i) {
    set.ids.push_back(0);
    std::int32_t bytes = 0;
    while (bytes < 150) {
      for (const char c : kWords[stream.below(6, 0, element++)]) {
        set.ids.push_back(static_cast<unsigned char>(c));
        ++bytes;
      }
    }
    set.starts.push_back(static_cast<std::int64_t>(set.ids.size()));
    set.bytes.push_back(bytes);
  }
  return set;
}

inline TextData made_up_data() {
  TextData data;
  data.name = "made up";
  data.tokenizer = "bytes";
  data.vocabulary = 256;
  data.train = made_up_documents("train", 300);
  data.validation = made_up_documents("validation", 8);
  data.test = made_up_documents("test", 20);
  return data;
}

}  // namespace ffn::test
