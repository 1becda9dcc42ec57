#include "ffn/inference/place_model.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <system_error>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/checksum.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostMetadata = 1 << 20;
constexpr std::string_view kMetadata = ".dist-info/METADATA";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string file_name(std::string_view path) { return fs::path(path).filename().string(); }

std::string comma_list(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// The value of "License-Expression" or "License" in the head of a package's metadata.
std::string stated_licence(std::string_view metadata) {
  for (const std::string_view key : {"\nLicense-Expression: ", "\nLicense: "}) {
    const std::string_view head = metadata.substr(0, metadata.find("\n\n"));
    const std::size_t at = head.find(key);
    if (at == std::string_view::npos) continue;
    const std::string_view value = head.substr(at + key.size());
    return std::string(value.substr(0, value.find_first_of("\r\n")));
  }
  return {};
}

bool has_part(const ZipArchive& wheel, const KnownModel& model) {
  return std::ranges::any_of(model.files, [&](const KnownFile& file) {
    return std::ranges::any_of(
        file.parts, [&](std::string_view part) { return !part.empty() && wheel.has(part); });
  });
}

void add_wheels(const std::string& folder, std::vector<std::unique_ptr<ZipArchive>>& wheels) {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".whl" && is_file(entry.path()))
      paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  for (const std::string& path : paths) wheels.push_back(std::make_unique<ZipArchive>(path));
}

}  // namespace

ModelSources::ModelSources(const std::vector<std::string>& paths) : paths_(paths) {
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      folders_.push_back(path);
      add_wheels(path, wheels_);
    } else if (is_zip_file(path)) {
      wheels_.push_back(std::make_unique<ZipArchive>(path));
    } else {
      const MappedFile readable(path);  // or it says why not
      files_.push_back(path);
    }
  }
}

std::string ModelSources::licences(const KnownModel& model) const {
  std::set<std::string> found;
  for (const auto& wheel : wheels_) {
    if (!has_part(*wheel, model)) continue;
    for (const std::string& name : wheel->names()) {
      if (!name.ends_with(kMetadata)) continue;
      std::string text;
      wheel->read(name, kMostMetadata, [&](std::span<const std::byte> piece) {
        text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      });
      if (const std::string licence = stated_licence(text); !licence.empty()) found.insert(licence);
    }
  }
  return comma_list({found.begin(), found.end()});
}

// One file of a model being put together.
class ModelAssembly {
 public:
  ModelAssembly(const KnownModel& model, const KnownFile& file, const ModelSources& sources,
                const std::string& path)
      : model_(model), file_(file), sources_(sources), path_(path), out_(path) {}

  void make() {
    const std::optional<std::string> whole = wheels_have_all() ? std::nullopt : find_whole();
    if (whole) copy_file(*whole);
    for (const std::string_view part : file_.parts)
      if (!whole && !part.empty()) copy_part(part);
    out_.commit();
    check_sum();
  }

 private:
  bool wheels_have_all() const {
    return std::ranges::all_of(file_.parts, [&](std::string_view part) {
      return part.empty() || std::ranges::any_of(sources_.wheels_, [&](const auto& wheel) {
               return wheel->has(part);
             });
    });
  }

  std::optional<std::string> find_whole() const {
    for (const std::string& folder : sources_.folders_)
      if (is_file(fs::path(folder) / file_.name)) return (fs::path(folder) / file_.name).string();
    for (const std::string& path : sources_.files_)
      if (file_name(path) == file_name(file_.name)) return path;
    // A file under another name: the checksum tells whether it is the one.
    const bool alone = model_.files.size() == 1 && sources_.paths_.size() == 1;
    return alone && sources_.files_.size() == 1 ? std::optional(sources_.files_[0]) : std::nullopt;
  }

  void copy_part(std::string_view part) {
    for (const auto& wheel : sources_.wheels_) {
      if (!wheel->has(part)) continue;
      wheel->read(part, file_.bytes, [&](std::span<const std::byte> piece) { add(piece); });
      return;
    }
    for (const std::string& folder : sources_.folders_)
      for (const fs::path& path : {fs::path(folder) / part, fs::path(folder) / file_name(part)})
        if (is_file(path)) return copy_file(path.string());
    for (const std::string& path : sources_.files_)
      if (file_name(path) == file_name(part)) return copy_file(path);
    fail(ErrorKind::io, model_.name, file_.name, " is not complete: ", part, " is not in ",
         comma_list(sources_.paths_));
  }

  void copy_file(const std::string& path) {
    const MappedFile file(path);
    add(file.bytes());
  }

  void add(std::span<const std::byte> piece) {
    bytes_ += std::ssize(piece);
    check(bytes_ <= file_.bytes, ErrorKind::io, model_.name, file_.name, " has more than the ",
          file_.bytes, " bytes it should have; nothing was kept of ", comma_list(sources_.paths_));
    out_.write(piece);
  }

  // Of what now stands on the disk.
  void check_sum() const {
    check(bytes_ == file_.bytes, ErrorKind::io, model_.name, file_.name, " has ", bytes_,
          " bytes, expected ", file_.bytes, "; nothing was kept of ", comma_list(sources_.paths_));
    const std::string found = sha256_of(MappedFile(path_).bytes());
    check(found == file_.sha256, ErrorKind::io, model_.name, file_.name, " has the SHA-256 ", found,
          ", expected ", file_.sha256, "; nothing was kept of ", comma_list(sources_.paths_));
  }

  const KnownModel& model_;
  const KnownFile& file_;
  const ModelSources& sources_;
  std::string path_;
  AtomicFile out_;
  std::int64_t bytes_ = 0;
};

bool holds_model(const std::string& folder, const KnownModel& model) {
  return std::ranges::all_of(model.files, [&](const KnownFile& file) {
    const fs::path path = fs::path(folder) / file.name;
    std::error_code ignored;
    if (!is_file(path) || fs::file_size(path, ignored) != static_cast<std::uintmax_t>(file.bytes))
      return false;
    return sha256_of(MappedFile(path.string()).bytes()) == file.sha256;
  });
}

void place_model(const KnownModel& model, const ModelSources& sources,
                 const StagingFolder& staging) {
  const fs::path made = fs::path(staging.path()) / "model";
  for (const KnownFile& file : model.files) {
    const fs::path path = made / file.name;
    std::error_code code;
    fs::create_directories(path.parent_path(), code);
    check(!code, ErrorKind::io, path.parent_path().string(), "cannot be made: ", code.message());
    ModelAssembly(model, file, sources, path.string()).make();
  }
  staging.commit("model");
}

}  // namespace ffn::inline v0
