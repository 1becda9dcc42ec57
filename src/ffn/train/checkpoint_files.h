// The folders and manifests of checkpoints; used by checkpoint.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/train/checkpoint.h"

namespace ffn::inline v0 {

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";
inline constexpr const char* kStateFile = "state.safetensors";
inline constexpr const char* kManifestFile = "manifest.json";

struct ManifestFile {
  std::string name;
  std::int64_t bytes = 0;
  std::uint32_t crc32 = 0;
};

struct Manifest {
  TrainingPosition position;
  std::int64_t optimizer_steps = 0;
  std::vector<ManifestFile> files;

  bool has(const std::string& name) const;
};

// The manifest's only text: its last key is the CRC-32 of the text without that key, so that no
// other byte is valid anywhere in it.
std::string manifest_text(const Manifest& manifest);

// Size and checksum of a file that was just written to `folder`.
ManifestFile describe_file(const std::string& folder, const std::string& name);

// The manifest of a checkpoint whose files are all there, of their sizes and checksums. Throws
// Error{io} naming the file, what was found and expected.
Manifest validate_checkpoint(const std::string& folder, std::int64_t step);

struct CheckpointFolder {
  std::int64_t step = 0;
  std::string path;
};

std::string checkpoint_name(std::int64_t step);
// Newest first; empty when `checkpoints` does not exist.
std::vector<CheckpointFolder> list_checkpoints(const std::string& checkpoints);
// Removes unfinished and set-aside folders.
void remove_leftovers(const std::string& checkpoints);

// fsync of a folder: the names in it survive a crash.
void sync_folder(const std::string& folder);

// A folder under a temporary name that publish() renames to `target` (whatever was there goes);
// removed if that never happens.
class UnfinishedFolder {
 public:
  UnfinishedFolder(const std::string& parent, const std::string& name);
  ~UnfinishedFolder();
  UnfinishedFolder(const UnfinishedFolder&) = delete;
  UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;

  const std::string& path() const { return path_; }
  void publish();

 private:
  std::string parent_, target_, path_;
  bool published_ = false;
};

}  // namespace ffn::inline v0
