// The input is an index and, where a zero byte follows it, the header of one file, as which all the
// files that the index names are taken.
#include <cstring>
#include <set>
#include <string>

#include "ffn/io/safetensors_shards.h"
#include "target.h"

namespace {

using ffn::fuzz::require;

void check_index(const ffn::SafetensorsIndex& index) {
  require(!index.entries.empty() && !index.shards.empty(), "an index names something");
  require(index.shards.size() <= ffn::kSafetensorsShardLimit, "shards are bounded");
  std::set<std::string> names;
  std::set<std::size_t> used;
  for (const auto& entry : index.entries) {
    require(names.insert(entry.tensor).second, "names are unique");
    require(entry.shard < index.shards.size(), "the shard is in the list");
    used.insert(entry.shard);
  }
  require(used.size() == index.shards.size(), "every shard has a tensor");
  for (const std::string& shard : index.shards) {
    require(shard.find('/') == std::string::npos && !shard.starts_with('.'), "names are plain");
    require(shard.ends_with(".safetensors") && shard.size() <= 255, "names are of weights");
    require(std::strlen(shard.c_str()) == shard.size(), "no NUL in a name");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ffn::fuzz::run(data, size, [](std::span<const std::byte> file) {
    const auto* zero = file.empty() ? nullptr : std::memchr(file.data(), 0, file.size());
    const std::size_t split =
        zero == nullptr
            ? file.size()
            : static_cast<std::size_t>(static_cast<const std::byte*>(zero) - file.data());
    const ffn::SafetensorsIndex index = ffn::parse_safetensors_index(file.first(split), "fuzz");
    check_index(index);
    if (split == file.size()) return;
    const std::vector<ffn::SafetensorsHeader> headers(
        index.shards.size(), ffn::parse_safetensors(file.subspan(split + 1), "fuzz"));
    ffn::check_safetensors_shards(index, headers, "fuzz");
    require(headers.size() == 1 || headers.front().tensors.empty(), "no tensor is in two shards");
    require(headers.front().tensors.size() == index.entries.size(), "every tensor is found");
  });
}
