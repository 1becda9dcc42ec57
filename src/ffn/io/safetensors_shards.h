// A checkpoint in several safetensors files ("shards") with an index that says which tensor is
// where:
//
//   model.safetensors.index.json   {"metadata": {"total_size": 123, …},
//                                   "weight_map": {"tensor": "model-00001-of-00002.safetensors",
//                                   …}}
//
// An index is untrusted as well: it names files, so it could name any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/safetensors.h"
#include "ffn/io/tensor_source.h"

namespace ffn::inline v0 {

inline constexpr std::string_view kSafetensorsIndexName = "model.safetensors.index.json";
inline constexpr std::int64_t kSafetensorsIndexLimit = 100'000'000;  // bytes, as of a header
inline constexpr std::size_t kSafetensorsShardLimit = 10'000;

struct SafetensorsIndex {
  struct Entry {
    std::string tensor;
    std::size_t shard;  // index into shards
  };
  std::vector<std::string> shards;  // rising, each with at least one tensor
  std::vector<Entry> entries;       // tensor names rising
  // Plain values as their text. total_size is not compared: writers disagree on what it counts.
  std::map<std::string, std::string> metadata;
};

// Reads an index. Throws Error{io} naming `where`, what was found, expected and the cure: no JSON,
// another structure or an unknown key, a repeated key, no tensor, more than kSafetensorsIndexLimit
// bytes or kSafetensorsShardLimit shards, a shard that is no plain name ending in .safetensors (a
// folder in it, "..", …). Memory: at most a small multiple of the index.
SafetensorsIndex parse_safetensors_index(std::span<const std::byte> file, std::string_view where);

// Throws Error{io} naming `where` unless the shards hold exactly the tensors that the index names,
// each where the index says. headers[i] is that of index.shards[i].
void check_safetensors_shards(const SafetensorsIndex& index,
                              std::span<const SafetensorsHeader> headers, std::string_view where);

class SafetensorsShards final : public TensorSource {
 public:
  // Maps every shard beside the index, following no symbolic link, and checks all of them. Errors:
  // those of MappedFile, parse_safetensors_index, parse_safetensors and check_safetensors_shards.
  explicit SafetensorsShards(const std::string& index_path);

  std::string_view format() const override { return "safetensors in shards"; }
  // Of the index.
  std::vector<MetadataText> metadata_texts() const override;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  struct Parts;
  SafetensorsShards(const std::string& index_path, Parts parts);
  static Parts open(const std::string& index_path);

  std::map<std::string, std::string> metadata_;
};

// Writes `tensors`, in their order, as model-00001-of-0000N.safetensors, … into the folder, and
// then the index. A shard takes tensors as long as their data is at most `shard_bytes`, and a
// larger one alone. Every file is atomic; without the index, which comes last, nothing is a
// checkpoint. Throws Error{config} as write_safetensors, before anything is written, and for
// shard_bytes below 1, no tensor or more than kSafetensorsShardLimit shards; Error{io} as
// AtomicFile, and when the folder holds a checkpoint already: shards of two checkpoints must not
// mix.
void write_safetensors_shards(const std::string& folder, std::span<const SafetensorsSource> tensors,
                              std::int64_t shard_bytes,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace ffn::inline v0
