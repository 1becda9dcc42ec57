#include <limits>
#include <set>
#include <string>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/io/gguf.h"
#include "target.h"

namespace {

using ffn::fuzz::require;

// What a caller relies on without looking: aligned, disjoint ranges inside the file, sized as their
// shapes say.
void check_tensors(std::span<const std::byte> file, const ffn::GgufHeader& header) {
  std::int64_t position = header.data_offset_bytes;
  std::set<std::string> names;
  for (const ffn::StoredTensor& tensor : header.tensors) {
    require(tensor.offset_bytes >= position && tensor.bytes >= 0, "tensors follow each other");
    require((tensor.offset_bytes - header.data_offset_bytes) % header.alignment == 0, "alignment");
    position = tensor.offset_bytes + tensor.bytes;
    require(position <= static_cast<std::int64_t>(file.size()), "tensors lie inside the file");
    require(names.insert(tensor.name).second, "names are unique");
    require(tensor.shape.size() <= ffn::kGgufRankLimit, "the rank is bounded");
    std::int64_t count = 1;
    for (const std::int64_t axis : tensor.shape) {
      require(axis >= 0, "no axis is negative");
      if (tensor.bytes > 0 && tensor.dtype) count *= axis;
    }
    if (!tensor.dtype || tensor.bytes == 0) continue;
    require(ffn::dtype_bytes(*tensor.dtype, count) == tensor.bytes, "size = shape");
    if (!ffn::is_block(*tensor.dtype)) continue;
    std::vector<float> values(static_cast<std::size_t>(count));
    ffn::dequantize_row(*tensor.dtype, file.data() + tensor.offset_bytes, count, values.data());
  }
}

// A value, or an error of input.
template <class Read>
void read(const Read& read_value) {
  try {
    read_value();
  } catch (const ffn::Error& error) {
    require(error.kind() == ffn::ErrorKind::io, "bad metadata is an io error");
  }
}

void check_metadata(std::span<const std::byte> file, const ffn::GgufHeader& header) {
  const ffn::GgufMetadata metadata(file, "fuzz", header.metadata);
  std::set<std::string_view> keys;
  for (const ffn::GgufEntry& entry : metadata.entries()) {
    require(keys.insert(entry.key).second, "keys are unique");
    require(metadata.find(entry.key) == &entry, "a key is found");
    read([&] { require(metadata.integer(entry.key, -5, 9) <= 9, "the range holds"); });
    read([&] { require(metadata.number(entry.key, -5, 9) >= -5, "the range holds"); });
    read([&] { metadata.flag(entry.key); });
    read([&] { require(ffn::is_utf8(metadata.text(entry.key)), "texts are UTF-8"); });
    read([&] {
      for (const std::int64_t value : metadata.integers(entry.key, 0, 1000))
        require(value >= 0 && value <= 1000, "the range holds");
    });
    read([&] {
      for (const double value : metadata.numbers(entry.key, -1e30, 1e30))
        require(value >= -1e30 && value <= 1e30, "the range holds");
    });
    read([&] {
      for (const std::string_view text : metadata.texts(entry.key))
        require(ffn::is_utf8(text), "texts are UTF-8");
    });
  }
  require(metadata.texts_to_show().size() == header.metadata.size(), "every key is shown");
  for (const ffn::MetadataText& text : metadata.texts_to_show())
    require(ffn::is_utf8(text.value) && text.value.size() < 2000, "values are cut short");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ffn::fuzz::run(data, size, [](std::span<const std::byte> file) {
    const ffn::GgufHeader header = ffn::parse_gguf(file, "fuzz");
    check_tensors(file, header);
    check_metadata(file, header);
  });
}
