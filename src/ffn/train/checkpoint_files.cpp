#include "ffn/train/checkpoint_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/io/checksum.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/mapped_file.h"
#include "ffn/train/expert_json.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::int64_t kSchema = 1;
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kUnfinished = ".unfinished-", kReplaced = ".replaced-";
constexpr std::size_t kDigits = 8;

// "step-00000500" → 500; −1 for anything else.
std::int64_t step_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kDigits) return -1;
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size();
  std::int64_t step = 0;
  const auto [stopped, error] = std::from_chars(begin, end, step);
  const bool whole = error == std::errc{} && stopped == end && step >= 0;
  return whole && checkpoint_name(step) == name ? step : -1;
}

std::string path_in(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

void check_file(const std::string& folder, const ManifestFile& expected) {
  const ManifestFile found = describe_file(folder, expected.name);
  const std::string path = path_in(folder, expected.name);
  check(found.bytes == expected.bytes, ErrorKind::io, path, "has ", found.bytes,
        " bytes, its manifest says ", expected.bytes);
  check(found.crc32 == expected.crc32 || fault(613), ErrorKind::io, path, "has the checksum ",
        found.crc32, ", its manifest says ", expected.crc32, ": it is damaged");
}

ordered_json experts_json(const TrainingPosition& position) {
  ordered_json routers = ordered_json::array();
  for (const RouterLoad& router : position.experts) routers.push_back(to_json(router));
  return routers;
}

Manifest read_manifest(const std::string& path) {
  const MappedFile file(path);
  const std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const nlohmann::json object = parse_json_object(text, path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  Manifest manifest;
  TrainingPosition& position = manifest.position;
  position.step = reader.integer("step");
  position.epoch = reader.integer("epoch");
  position.step_in_epoch = reader.integer("step_in_epoch");
  position.skipped_steps = reader.integer("skipped_steps");
  position.metrics_bytes = reader.integer("metrics_bytes");
  manifest.optimizer_steps = reader.integer("optimizer_steps");
  if (reader.has("experts"))
    for (const nlohmann::json& router : reader.array("experts"))
      position.experts.push_back(read_router_load({router, path, "experts."}));
  for (const nlohmann::json& entry : reader.array("files")) {
    ObjectReader one(entry, path, "files.");
    ManifestFile& listed = manifest.files.emplace_back();
    listed.name = one.text("name");
    listed.bytes = one.integer("bytes");
    listed.crc32 = static_cast<std::uint32_t>(one.integer("crc32"));
    one.finish();
    // Names come from a list, so that no path leaves the folder.
    check(listed.name == kModelFile || listed.name == kOptimizerFile || listed.name == kStateFile,
          ErrorKind::io, path, "lists the unknown file ", in_quotes(listed.name));
  }
  reader.integer("crc32");
  reader.finish();
  check(manifest_text(manifest) == text, ErrorKind::io, path, "does not match its own checksum");
  return manifest;
}

}  // namespace

bool Manifest::has(const std::string& name) const {
  return std::any_of(files.begin(), files.end(),
                     [&](const ManifestFile& file) { return file.name == name; });
}

std::string manifest_text(const Manifest& manifest) {
  ordered_json files = ordered_json::array();
  for (const ManifestFile& file : manifest.files)
    files.push_back(
        ordered_json{{"name", file.name}, {"bytes", file.bytes}, {"crc32", file.crc32}});
  ordered_json object = {{"schema", kSchema},
                         {"step", manifest.position.step},
                         {"epoch", manifest.position.epoch},
                         {"step_in_epoch", manifest.position.step_in_epoch},
                         {"skipped_steps", manifest.position.skipped_steps},
                         {"metrics_bytes", manifest.position.metrics_bytes},
                         {"optimizer_steps", manifest.optimizer_steps},
                         {"files", files}};
  if (!manifest.position.experts.empty()) object["experts"] = experts_json(manifest.position);
  const std::string text = object.dump(2);
  object["crc32"] = crc32_of(std::as_bytes(std::span(text)));
  return object.dump(2) + "\n";
}

ManifestFile describe_file(const std::string& folder, const std::string& name) {
  const MappedFile file(path_in(folder, name));
  return {name, static_cast<std::int64_t>(file.bytes().size()), crc32_of(file.bytes())};
}

Manifest validate_checkpoint(const std::string& folder, std::int64_t step) {
  Manifest manifest = read_manifest(path_in(folder, kManifestFile));
  check(manifest.position.step == step, ErrorKind::io, folder, "holds step ",
        manifest.position.step, ", not the one that it is called after");
  for (const ManifestFile& file : manifest.files) check_file(folder, file);
  for (const char* name : {kModelFile, kOptimizerFile})
    check(manifest.has(name), ErrorKind::io, folder, "lists no ", name);
  return manifest;
}

std::string checkpoint_name(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return std::string(kPrefix) + digits;
}

std::vector<CheckpointFolder> list_checkpoints(const std::string& checkpoints) {
  std::vector<CheckpointFolder> found;
  std::error_code code;
  for (fs::directory_iterator it(checkpoints, code), end; !code && it != end; it.increment(code)) {
    const std::int64_t step = step_of(it->path().filename().string());
    if (step >= 0) found.push_back({step, it->path().string()});
  }
  const bool missing = code == std::errc::no_such_file_or_directory;
  check(!code || missing, ErrorKind::io, checkpoints, "cannot be read: ", code.message());
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.step > b.step; });
  return found;
}

void remove_leftovers(const std::string& checkpoints) {
  std::vector<fs::path> leftovers;
  std::error_code code;
  for (fs::directory_iterator it(checkpoints, code), end; !code && it != end; it.increment(code)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(kUnfinished) || name.starts_with(kReplaced))
      leftovers.push_back(it->path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, code);
}

void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int code = descriptor < 0 ? errno : 0;
  if (descriptor >= 0 && ::fsync(descriptor) != 0) code = errno;
  if (descriptor >= 0) ::close(descriptor);
  // EINVAL: a file system that cannot flush folders (as in AtomicFile).
  check(code == 0 || code == EINVAL, ErrorKind::io, folder,
        "cannot be flushed to the disk: ", std::generic_category().message(code));
}

UnfinishedFolder::UnfinishedFolder(const std::string& parent, const std::string& name)
    : parent_(parent),
      target_(path_in(parent, name)),
      path_(path_in(parent, std::string(kUnfinished) + name)) {
  std::error_code code;
  fs::create_directories(path_, code);
  check(!code, ErrorKind::io, target_, "cannot be made: ", code.message());
}

UnfinishedFolder::~UnfinishedFolder() {
  std::error_code ignored;
  if (!published_) fs::remove_all(path_, ignored);
}

void UnfinishedFolder::publish() {
  sync_folder(path_);
  const std::string replaced =
      path_in(parent_, std::string(kReplaced) + fs::path(target_).filename().string());
  std::error_code code;
  if (fs::exists(target_, code)) {
    fs::rename(target_, replaced, code);
    check(!code, ErrorKind::io, target_, "cannot be replaced: ", code.message());
  }
  fs::rename(path_, target_, code);
  check(!code, ErrorKind::io, target_, "cannot be put in its place: ", code.message());
  published_ = true;
  sync_folder(parent_);
  fs::remove_all(replaced, code);
}

}  // namespace ffn::inline v0
