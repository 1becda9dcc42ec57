// Models that packages of the Python Package Index carry, known by a short name.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

// A file of a model and where the packages have it: whole, or in parts one after another.
struct KnownFile {
  std::string_view name;                    // in the model's folder
  std::int64_t bytes = 0;                   // of the whole
  std::string_view sha256;                  // likewise
  std::array<std::string_view, 4> parts{};  // paths in the packages; empty ones at the end
};

struct KnownModel {
  std::string_view name, title;
  std::string_view licence;                    // of the model
  std::span<const std::string_view> packages;  // "name==version"
  std::span<const KnownFile> files;
  std::string_view opened = {};  // the file that verbs open; empty: the folder
  std::string_view example = {};

  std::int64_t bytes() const;  // of all files
};

std::span<const KnownModel> known_models();
// nullptr when the name is not known.
const KnownModel* find_known_model(std::string_view name);
// Errors: config for an unknown name, with those that are known.
const KnownModel& known_model(std::string_view name);

// Folders in which a model is looked for, in order; `data get` fills the first.
std::vector<std::string> model_places(const KnownModel& model);
// What verbs open of the first place that has the model; empty when none has. Reads no weights.
std::string placed_model(const KnownModel& model);

// The path itself, if there is such a file or folder; otherwise where the known model of that name
// is. Errors: io for a name that is neither, and for a known model that is not here.
std::string find_model(const std::string& path_or_name);

}  // namespace ffn::inline v0
