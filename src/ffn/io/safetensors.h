// safetensors files: named arrays behind a JSON header. Reading maps the file and trusts nothing.
//
//   bytes 0…7          header size n, little endian
//   bytes 8…8+n        {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …,
//                       "__metadata__": {"key": "text", …}}, padded with spaces
//   bytes 8+n…         the data that the offsets count in: no hole, no overlap, nothing left over
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/base/dtype.h"
#include "ffn/io/mapped_file.h"
#include "ffn/io/tensor_source.h"

namespace ffn::inline v0 {

inline constexpr std::int64_t kSafetensorsHeaderLimit = 100'000'000;  // as the format's own library
inline constexpr std::size_t kSafetensorsRankLimit = 8;

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
};

// Reads the header of a whole file's bytes. Throws Error{io} naming `where`, what was found,
// expected and the cure: header size or JSON damaged, unknown keys or dtypes, duplicate names, a
// size that is not shape times element, holes, overlaps, bytes missing or left over; a git-LFS
// pointer, an HTML page, a zip, a pickle by name. Memory: at most a small multiple of the header.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, std::string_view where);

class SafetensorsFile final : public TensorSource {
 public:
  // Maps and checks. Errors: those of MappedFile and parse_safetensors.
  explicit SafetensorsFile(std::string path);

  std::string_view format() const override { return "safetensors"; }
  std::vector<MetadataText> metadata_texts() const override;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::shared_ptr<const MappedFile>& file() const { return files().front(); }

 private:
  explicit SafetensorsFile(std::shared_ptr<const MappedFile> file);
  SafetensorsFile(std::shared_ptr<const MappedFile> file, SafetensorsHeader header);

  std::map<std::string, std::string> metadata_;
};

// The listing of a map of texts.
std::vector<MetadataText> metadata_texts_of(const std::map<std::string, std::string>& metadata);

// A tensor to write. dtype: f64, f32, bf16, f16, i32, u8 or i8.
struct SafetensorsSource {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

// The checks of write_safetensors() on its tensors, before anything is written.
void check_safetensors_sources(const std::string& path, std::span<const SafetensorsSource> tensors);

// Writes a file through AtomicFile. Wider elements come first, so that every tensor starts at a
// multiple of its element; equal widths keep their order. The same arguments give the same bytes.
// Throws Error{config} for a repeated or reserved name, text that is not UTF-8, a dtype without a
// name in the format or data of another size than the shape's; Error{io} as AtomicFile.
void write_safetensors(const std::string& path, std::span<const SafetensorsSource> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ffn::inline v0
