#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/safetensors_shards.h"

namespace ffn::inline v0 {
namespace {

std::int64_t bytes_of(const SafetensorsSource& source) {
  return static_cast<std::int64_t>(source.data.size());
}

// Where each shard ends in the list of tensors.
std::vector<std::size_t> shard_ends(std::span<const SafetensorsSource> tensors,
                                    std::int64_t shard_bytes) {
  std::vector<std::size_t> ends;
  std::int64_t bytes = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (i > begin && bytes_of(tensors[i]) > shard_bytes - bytes) {
      ends.push_back(i);
      begin = i;
      bytes = 0;
    }
    bytes += bytes_of(tensors[i]);
  }
  ends.push_back(tensors.size());
  return ends;
}

std::string shard_name(std::size_t number, std::size_t count) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "model-%05zu-of-%05zu.safetensors", number, count);
  return text.data();
}

void check_no_checkpoint(const std::filesystem::path& folder) {
  for (const std::string_view name : {kSafetensorsIndexName, std::string_view("model.safetensors")})
    check(!std::filesystem::exists(std::filesystem::symlink_status(folder / name)), ErrorKind::io,
          folder.string(), "holds a checkpoint already (", name, "): choose another folder");
}

}  // namespace

void write_safetensors_shards(const std::string& folder, std::span<const SafetensorsSource> tensors,
                              std::int64_t shard_bytes,
                              const std::map<std::string, std::string>& metadata) {
  check(shard_bytes > 0, ErrorKind::config, folder, "shards of ", shard_bytes,
        " bytes hold nothing");
  check(!tensors.empty(), ErrorKind::config, folder, "a checkpoint without tensors has no shards");
  check_safetensors_sources(folder, tensors);
  const std::vector<std::size_t> ends = shard_ends(tensors, shard_bytes);
  check(ends.size() <= kSafetensorsShardLimit, ErrorKind::config, folder, "shards of ", shard_bytes,
        " bytes would be ", ends.size(), " files, at most ", kSafetensorsShardLimit);
  const std::filesystem::path base(folder);
  check_no_checkpoint(base);

  std::int64_t total = 0;
  nlohmann::json map = nlohmann::json::object();
  std::size_t begin = 0;
  for (std::size_t shard = 0; shard < ends.size(); ++shard) {
    const auto part = tensors.subspan(begin, ends[shard] - begin);
    const std::string name = shard_name(shard + 1, ends.size());
    write_safetensors((base / name).string(), part, metadata);
    for (const SafetensorsSource& source : part) {
      map[source.name] = name;
      total += bytes_of(source);
    }
    begin = ends[shard];
  }
  const nlohmann::json index{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
  AtomicFile file((base / kSafetensorsIndexName).string());
  file.write(index.dump(2) + "\n");
  file.commit();
}

}  // namespace ffn::inline v0
