#include "ffn/io/checkpoint.h"

#include <cstring>
#include <filesystem>
#include <system_error>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/safetensors.h"
#include "ffn/io/safetensors_shards.h"

namespace ffn::inline v0 {
namespace {

constexpr std::string_view kSingleName = "model.safetensors";

// " (GGUF file 'x.gguf': name it itself)" for the first of a folder; else empty.
std::string gguf_hint(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::string first;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".gguf") && (first.empty() || name < first)) first = name;
  }
  return first.empty() ? "" : "; name its GGUF file " + in_quotes(first) + " itself";
}

std::unique_ptr<TensorSource> open_folder(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code ignored;
  const bool single = std::filesystem::exists(folder / kSingleName, ignored);
  const bool shards = std::filesystem::exists(folder / kSafetensorsIndexName, ignored);
  check(single || shards, ErrorKind::io, path, "holds neither ", kSingleName, " nor ",
        kSafetensorsIndexName, single || shards ? "" : gguf_hint(folder));
  check(!(single && shards), ErrorKind::io, path, "holds both ", kSingleName, " and ",
        kSafetensorsIndexName, ": name one of the two files");
  if (shards) return std::make_unique<SafetensorsShards>((folder / kSafetensorsIndexName).string());
  return std::make_unique<SafetensorsFile>((folder / kSingleName).string());
}

bool starts_as_gguf(const std::string& path) {
  const MappedFile file(path);
  return file.bytes().size() >= 4 && std::memcmp(file.bytes().data(), "GGUF", 4) == 0;
}

}  // namespace

std::unique_ptr<TensorSource> open_checkpoint(const std::string& path) {
  std::error_code ignored;
  if (path.find('\0') == std::string::npos && std::filesystem::is_directory(path, ignored))
    return open_folder(path);
  if (starts_as_gguf(path) || path.ends_with(".gguf")) return std::make_unique<GgufFile>(path);
  if (path.ends_with(".json")) return std::make_unique<SafetensorsShards>(path);
  return std::make_unique<SafetensorsFile>(path);
}

const GgufFile* as_gguf(const TensorSource& source) {
  return dynamic_cast<const GgufFile*>(&source);
}

}  // namespace ffn::inline v0
