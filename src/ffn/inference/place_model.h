// A known model's files out of packages, checked against their checksums and put where verbs find
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/inference/known_models.h"
#include "ffn/io/staging_folder.h"
#include "ffn/io/zip_archive.h"

namespace ffn::inline v0 {

// What a user has: wheels (zip files), which are read as they are and never run; folders with
// wheels, with an unpacked package, or with the model's own files; or a file of the model itself.
class ModelSources {
 public:
  // Errors: io for a path that is nowhere, and for a damaged zip file.
  explicit ModelSources(const std::vector<std::string>& paths);

  // The licences that the metadata of the wheels with parts of the model state, ", " between them;
  // empty where there are none.
  std::string licences(const KnownModel& model) const;

 private:
  friend class ModelAssembly;

  std::vector<std::unique_ptr<ZipArchive>> wheels_;
  std::vector<std::string> folders_, files_, paths_;
};

// Whether the folder has all of the model's files, unchanged. Reads all of them.
bool holds_model(const std::string& folder, const KnownModel& model);

// Puts the model's files, parts joined, into staging's target. Where anything is missing or other
// than the model's table says (bytes, SHA-256), nothing is put anywhere. Errors: io, naming the
// file and what was looked at.
void place_model(const KnownModel& model, const ModelSources& sources,
                 const StagingFolder& staging);

}  // namespace ffn::inline v0
