// GGUF files of version 2 and 3: typed metadata and named tensors, quantised or not. Reading maps
// the file and trusts nothing.
//
//   bytes 0…23   "GGUF", version u32, number of tensors u64, number of metadata entries u64
//
//   entries      key (text), type u32, value; of a list: type of its elements u32, their number
//                u64, the elements
//
//   tensors      name (text), number of axes u32, axes u64 (the fastest first), type u32, offset
//                u64
//
//   data         from the next multiple of the alignment on; the offsets count in it
//
// All little endian; a text is its length, u64, and its bytes. Keys and names must be UTF-8; texts
// among the values are checked when they are asked for. Between tensors there may be bytes that
// belong to none. Lists of lists, which no writer makes, are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/gguf_metadata.h"
#include "ffn/io/mapped_file.h"
#include "ffn/io/tensor_source.h"

namespace ffn::inline v0 {

inline constexpr std::size_t kGgufRankLimit = 4;
inline constexpr std::size_t kGgufNameLimit = 65'535;  // bytes of a key or a tensor's name
inline constexpr std::int64_t kGgufLeastAlignment = 8, kGgufMostAlignment = std::int64_t{1} << 30;

struct GgufHeader {
  std::uint32_t version = 0;
  std::vector<GgufEntry> metadata;     // in the order of the file; keys lie in its bytes
  std::int64_t alignment = 32;         // general.alignment
  std::int64_t data_offset_bytes = 0;  // where the data begins
  // In the order of their data; axes turned round, so that weights are [out, in]. A type without a
  // name here is called "type 77" and takes all bytes up to the next tensor.
  std::vector<StoredTensor> tensors;
};

// Reads the header of a whole file's bytes. Throws Error{io} naming `where`, what was found,
// expected and the cure: another version or byte order, counts and lengths beyond the file, unknown
// types of metadata, repeated keys or names, an alignment that is no power of two from
// kGgufLeastAlignment on, sizes that overflow or cut a block, tensors that overlap, are not aligned
// or leave the file; foreign files (git-LFS pointer, HTML page, …) by name. Memory: at most a small
// multiple of the header.
GgufHeader parse_gguf(std::span<const std::byte> file, std::string_view where);

class GgufFile final : public TensorSource {
 public:
  // Maps and checks. Errors: those of MappedFile and parse_gguf.
  explicit GgufFile(std::string path);

  std::string_view format() const override { return "GGUF"; }
  std::vector<MetadataText> metadata_texts() const override { return metadata_.texts_to_show(); }
  const GgufMetadata& metadata() const { return metadata_; }
  std::uint32_t version() const { return version_; }

 private:
  explicit GgufFile(std::shared_ptr<const MappedFile> file);
  GgufFile(std::shared_ptr<const MappedFile> file, GgufHeader header);

  GgufMetadata metadata_;
  std::uint32_t version_;
};

}  // namespace ffn::inline v0
