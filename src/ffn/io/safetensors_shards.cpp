#include "ffn/io/safetensors_shards.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {

struct SafetensorsShards::Parts {
  std::vector<std::shared_ptr<const MappedFile>> files;
  std::vector<StoredTensor> tensors;
  std::map<std::string, std::string> metadata;
};

void check_safetensors_shards(const SafetensorsIndex& index,
                              std::span<const SafetensorsHeader> headers, std::string_view where) {
  std::vector<bool> found(index.entries.size());
  for (std::size_t shard = 0; shard < headers.size(); ++shard) {
    const std::string& name = index.shards[shard];
    for (const StoredTensor& tensor : headers[shard].tensors) {
      const auto entry = std::ranges::lower_bound(index.entries, tensor.name, {},
                                                  &SafetensorsIndex::Entry::tensor);
      check(entry != index.entries.end() && entry->tensor == tensor.name, ErrorKind::io, where,
            "does not name tensor ", in_quotes(tensor.name), ", which ", in_quotes(name),
            " holds: index and files belong to different checkpoints");
      check(entry->shard == shard || fault(506), ErrorKind::io, where, "says that tensor ",
            in_quotes(tensor.name), " is in ", in_quotes(index.shards[entry->shard]),
            ", but it is in ", in_quotes(name),
            ": index and files belong to different checkpoints");
      found[static_cast<std::size_t>(entry - index.entries.begin())] = true;
    }
  }
  const auto missing = std::ranges::find(found, false);
  if (missing == found.end()) return;
  const auto& entry = index.entries[static_cast<std::size_t>(missing - found.begin())];
  fail(ErrorKind::io, where, "says that tensor ", in_quotes(entry.tensor), " is in ",
       in_quotes(index.shards[entry.shard]),
       ", which does not hold it: index and files belong to different checkpoints");
}

SafetensorsShards::Parts SafetensorsShards::open(const std::string& index_path) {
  const MappedFile file(index_path);
  SafetensorsIndex index = parse_safetensors_index(file.bytes(), index_path);
  const std::size_t slash = index_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : index_path.substr(0, slash + 1);
  Parts parts;
  std::vector<SafetensorsHeader> headers;
  for (const std::string& shard : index.shards) {
    const auto& mapped =
        parts.files.emplace_back(std::make_shared<const MappedFile>(folder + shard, Links::refuse));
    headers.push_back(parse_safetensors(mapped->bytes(), mapped->path()));
  }
  check_safetensors_shards(index, headers, index_path);
  for (std::size_t shard = 0; shard < headers.size(); ++shard) {
    for (StoredTensor& tensor : headers[shard].tensors) {
      tensor.file = shard;
      parts.tensors.push_back(std::move(tensor));
    }
  }
  parts.metadata = std::move(index.metadata);
  return parts;
}

SafetensorsShards::SafetensorsShards(const std::string& index_path)
    : SafetensorsShards(index_path, open(index_path)) {}

SafetensorsShards::SafetensorsShards(const std::string& index_path, Parts parts)
    : TensorSource(index_path, std::move(parts.files), std::move(parts.tensors)),
      metadata_(std::move(parts.metadata)) {}

std::vector<MetadataText> SafetensorsShards::metadata_texts() const {
  return metadata_texts_of(metadata_);
}

}  // namespace ffn::inline v0
