// Tensors of a checkpoint, whatever its format: one safetensors file, several with an index, GGUF.
// Opening reads headers alone; weights are pages of mapped files, read when they are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/base/dtype.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {

// A tensor as the header of its file states it, compared with the file's size.
struct StoredTensor {
  std::string name;
  std::string dtype_name;      // as in the file: "F32", "BF16", "I64", "Q4_K", …
  std::optional<DType> dtype;  // what computes with it; empty for types without a kernel (I64, …)
  std::vector<std::int64_t> shape;  // row-major, weights [out, in]
  std::int64_t offset_bytes = 0;    // from the start of its file; of no promised alignment
  std::int64_t bytes = 0;
  std::size_t file = 0;  // which of the source's files
};

// One entry of metadata, for people: long values are cut short.
struct MetadataText {
  std::string key, type, value;
};

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  TensorSource(const TensorSource&) = delete;
  TensorSource& operator=(const TensorSource&) = delete;

  // "safetensors", "safetensors in shards" or "GGUF".
  virtual std::string_view format() const = 0;
  // In the order of the file, control bytes and what is no UTF-8 as \xNN. Never fails.
  virtual std::vector<MetadataText> metadata_texts() const = 0;

  // The file, or the index of several: what messages name.
  const std::string& path() const { return path_; }
  // File by file, in the order of their data.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  // nullptr when there is none of that name; at() throws Error{io} that names the file instead.
  const StoredTensor* find(std::string_view name) const;
  const StoredTensor& at(std::string_view name) const;
  // The elements, little endian, valid as long as the mapping. `tensor`: of this source.
  std::span<const std::byte> data(const StoredTensor& tensor) const;
  // Shared, so that tensors over a mapping may outlive this object.
  const std::vector<std::shared_ptr<const MappedFile>>& files() const { return files_; }
  std::int64_t file_bytes() const;  // of all files together
  const std::shared_ptr<const MappedFile>& file_of(const StoredTensor& tensor) const {
    return files_[tensor.file];
  }

 protected:
  // `tensors` have unique names and lie inside their files.
  TensorSource(std::string path, std::vector<std::shared_ptr<const MappedFile>> files,
               std::vector<StoredTensor> tensors);

 private:
  std::string path_;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<StoredTensor> tensors_;
  std::vector<std::size_t> by_name_;  // indices into tensors_, which never changes
};

// Text of a file for a listing: at most `most` bytes (then "…"), control bytes and what is no UTF-8
// as \xNN.
std::string shown_text(std::string_view text, std::size_t most);

// Whether `text` is UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace ffn::inline v0
