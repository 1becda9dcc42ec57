#include "ffn/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/safetensors_types.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kDataAlignment = 8;  // the widest element

const SafetensorsType& type_of(const SafetensorsSource& source, std::string_view path) {
  for (const SafetensorsType& type : kSafetensorsTypes) {
    if (type.dtype == source.dtype) return type;
  }
  fail(ErrorKind::config, path, "tensor ", in_quotes(source.name), " is ", to_string(source.dtype),
       ", which safetensors cannot hold");
}

void check_source(const SafetensorsSource& source, std::string_view path) {
  check(is_utf8(source.name), ErrorKind::config, path, "the text ", in_quotes(source.name),
        " is not UTF-8");
  check(source.name != "__metadata__", ErrorKind::config, path,
        "a tensor cannot be called '__metadata__'");
  check(source.shape.size() <= kSafetensorsRankLimit, ErrorKind::config, path, "tensor ",
        in_quotes(source.name), " has ", source.shape.size(), " axes, at most ",
        kSafetensorsRankLimit);
  std::int64_t bytes = type_of(source, path).element_bytes;
  for (const std::int64_t axis : source.shape) {
    check(axis >= 0 && !__builtin_mul_overflow(bytes, axis, &bytes), ErrorKind::config, path,
          "tensor ", in_quotes(source.name), " has an impossible axis of ", axis);
  }
  check(bytes == static_cast<std::int64_t>(source.data.size()), ErrorKind::config, path, "tensor ",
        in_quotes(source.name), " has ", source.data.size(), " bytes of data, its shape needs ",
        bytes);
}

// A JSON string; Error{config} when the text is not UTF-8.
std::string json_text(const std::string& text, std::string_view path) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    fail(ErrorKind::config, path, "the text ", in_quotes(text), " is not UTF-8");
  }
}

std::string header_text(std::span<const SafetensorsSource* const> sources,
                        const std::map<std::string, std::string>& metadata, std::string_view path) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      text.append(json_text(key, path)).append(":").append(json_text(value, path)).append(",");
    text.back() = '}';
    text += ',';
  }
  std::size_t offset = 0;
  for (const SafetensorsSource* source : sources) {
    text.append(json_text(source->name, path)).append(":{\"dtype\":\"");
    text.append(type_of(*source, path).name).append("\",\"shape\":[");
    for (const std::int64_t axis : source->shape) text.append(std::to_string(axis)).append(",");
    if (!source->shape.empty()) text.pop_back();
    text.append("],\"data_offsets\":[").append(std::to_string(offset)).append(",");
    offset += source->data.size();
    text.append(std::to_string(offset)).append("]},");
  }
  if (text.size() > 1) text.pop_back();
  text += '}';
  text.append((kDataAlignment - text.size() % kDataAlignment) % kDataAlignment, ' ');
  return text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::string path)
    : SafetensorsFile(std::make_shared<const MappedFile>(std::move(path))) {}

SafetensorsFile::SafetensorsFile(std::shared_ptr<const MappedFile> file)
    : SafetensorsFile(file, parse_safetensors(file->bytes(), file->path())) {}

SafetensorsFile::SafetensorsFile(std::shared_ptr<const MappedFile> file, SafetensorsHeader header)
    : TensorSource(file->path(), {file}, std::move(header.tensors)),
      metadata_(std::move(header.metadata)) {}

std::vector<MetadataText> SafetensorsFile::metadata_texts() const {
  return metadata_texts_of(metadata_);
}

std::vector<MetadataText> metadata_texts_of(const std::map<std::string, std::string>& metadata) {
  constexpr std::size_t kKey = 80, kValue = 200;
  std::vector<MetadataText> texts;
  for (const auto& [key, value] : metadata)
    texts.push_back({shown_text(key, kKey), "text", shown_text(value, kValue)});
  return texts;
}

void check_safetensors_sources(const std::string& path,
                               std::span<const SafetensorsSource> tensors) {
  std::set<std::string_view> names;
  for (const SafetensorsSource& source : tensors) {
    check_source(source, path);
    check(names.insert(source.name).second, ErrorKind::config, path, "tensor ",
          in_quotes(source.name), " is given twice");
  }
}

void write_safetensors(const std::string& path, std::span<const SafetensorsSource> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_safetensors_sources(path, tensors);
  std::vector<const SafetensorsSource*> sources;
  for (const SafetensorsSource& source : tensors) sources.push_back(&source);
  std::sort(sources.begin(), sources.end(),
            [&](const SafetensorsSource* a, const SafetensorsSource* b) {
              const auto width = type_of(*a, path).element_bytes;
              const auto other = type_of(*b, path).element_bytes;
              return width != other ? width > other : a < b;  // a, b lie in one array
            });
  const std::string header = header_text(sources, metadata, path);
  check(header.size() <= static_cast<std::size_t>(kSafetensorsHeaderLimit), ErrorKind::config, path,
        "the header would have ", header.size(), " bytes, at most ", kSafetensorsHeaderLimit);
  const auto size = static_cast<std::uint64_t>(header.size());
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&size, 1)));
  file.write(header);
  for (const SafetensorsSource* source : sources) file.write(source->data);
  file.commit();
}

}  // namespace ffn::inline v0
