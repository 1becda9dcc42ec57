#include "ffn/train/checkpoint.h"

#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/event_sink.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/safetensors.h"
#include "ffn/tensor/host.h"
#include "ffn/train/checkpoint_files.h"
#include "ffn/train/run_folder.h"

namespace ffn::inline v0 {
namespace {

// A tensor under the name that its file knows it by.
struct Named {
  std::string name;
  Tensor tensor;
};

std::vector<Named> masters(const CheckpointView& view) {
  std::vector<Named> list;
  for (const Parameter& parameter : view.parameters.all())
    if (parameter.trainable() || parameter.options.frozen)
      list.push_back({parameter.name, parameter.stored()});
  return list;
}

std::vector<Named> moments(const CheckpointView& view) {
  std::vector<Named> list;
  for (const Parameter& parameter : view.parameters.all()) {
    if (!parameter.trainable()) continue;
    list.push_back({"m." + parameter.name, view.optimizer.first_moment(parameter)});
    list.push_back({"v." + parameter.name, view.optimizer.second_moment(parameter)});
  }
  return list;
}

std::vector<Named> states(const CheckpointView& view) {
  std::vector<Named> list;
  for (const State* state : view.states) list.push_back({state->name, state->tensor});
  return list;
}

std::vector<std::int64_t> axes_of(const Shape& shape) {
  std::vector<std::int64_t> axes;
  for (int axis = 0; axis < shape.rank(); ++axis) axes.push_back(shape[axis]);
  return axes;
}

std::span<std::byte> bytes_of(const Named& named) {
  require_data(named.tensor, "checkpoint");
  check(named.tensor.contiguous(), ErrorKind::config, "checkpoint", "'", named.name,
        "' is not contiguous");
  return {named.tensor.data(), static_cast<std::size_t>(named.tensor.spec().bytes())};
}

void write_tensors(const std::string& folder, const char* file, const std::vector<Named>& list) {
  std::vector<SafetensorsSource> sources;
  for (const Named& named : list)
    sources.push_back(
        {named.name, named.tensor.dtype(), axes_of(named.tensor.shape()), bytes_of(named)});
  write_safetensors((std::filesystem::path(folder) / file).string(), sources);
}

// Every tensor of `list` is in the file with its dtype and shape, and nothing else is.
void check_tensors(const SafetensorsFile& file, const std::vector<Named>& list) {
  const std::string& path = file.file()->path();
  for (const Named& named : list) {
    const StoredTensor* found = file.find(named.name);
    check(found != nullptr, ErrorKind::config, path, "lacks '", named.name,
          "', which this model has: it is a checkpoint of another model");
    const Tensor& tensor = named.tensor;
    check(found->dtype == tensor.dtype() && found->shape == axes_of(tensor.shape()),
          ErrorKind::config, path, "holds '", named.name, "' as ", found->dtype_name, " of ",
          found->bytes, " bytes, this model's is ", to_string(tensor.dtype()), " ", tensor.shape());
    bytes_of(named);
  }
  std::set<std::string_view> names;
  for (const Named& named : list) names.insert(named.name);
  for (const StoredTensor& tensor : file.tensors())
    check(names.contains(tensor.name), ErrorKind::config, path, "holds '", tensor.name,
          "', which this model does not have");
}

void read_tensors(const SafetensorsFile& file, const std::vector<Named>& list) {
  for (const Named& named : list) {
    const std::span<const std::byte> from = file.data(file.at(named.name));
    if (!from.empty()) std::memcpy(bytes_of(named).data(), from.data(), from.size());
  }
}

void fill(const std::string& folder, const Manifest& manifest, const CheckpointView& view) {
  std::vector<std::pair<std::unique_ptr<SafetensorsFile>, std::vector<Named>>> parts;
  const auto open = [&](const char* name, std::vector<Named> list) {
    auto file = std::make_unique<SafetensorsFile>((std::filesystem::path(folder) / name).string());
    check_tensors(*file, list);
    parts.emplace_back(std::move(file), std::move(list));
  };
  open(kModelFile, masters(view));
  open(kOptimizerFile, moments(view));
  check(manifest.has(kStateFile) == !view.states.empty(), ErrorKind::config, folder,
        view.states.empty() ? "holds states, this model has none"
                            : "holds no states, this model has some");
  if (!view.states.empty()) open(kStateFile, states(view));
  // Nothing was written so far: from here on nothing can fail.
  for (const auto& [file, list] : parts) read_tensors(*file, list);
}

}  // namespace

void save_checkpoint(const std::string& run_folder, const CheckpointView& view,
                     const TrainingPosition& position, int keep_last) {
  check(keep_last >= 1, ErrorKind::config, "checkpoint", "keep_last is ", keep_last,
        ", expected at least 1");
  const std::string checkpoints = checkpoints_path(run_folder);
  remove_leftovers(checkpoints);
  UnfinishedFolder folder(checkpoints, checkpoint_name(position.step));
  Manifest manifest{position, view.optimizer.steps(), {}};
  const auto write = [&](const char* name, const std::vector<Named>& list) {
    write_tensors(folder.path(), name, list);
    manifest.files.push_back(describe_file(folder.path(), name));
  };
  write(kModelFile, masters(view));
  write(kOptimizerFile, moments(view));
  if (!view.states.empty()) write(kStateFile, states(view));
  AtomicFile file((std::filesystem::path(folder.path()) / kManifestFile).string());
  file.write(manifest_text(manifest));
  file.commit();
  folder.publish();
  sync_folder(run_folder);

  int kept = 0;
  for (const CheckpointFolder& old : list_checkpoints(checkpoints)) {
    std::error_code ignored;
    const bool later = old.step > position.step;
    if (later || ++kept > keep_last) std::filesystem::remove_all(old.path, ignored);
  }
}

std::optional<TrainingPosition> restore_checkpoint(const std::string& run_folder,
                                                   Executor& executor, const CheckpointView& view) {
  std::string newest_damage;
  for (const CheckpointFolder& folder : list_checkpoints(checkpoints_path(run_folder))) {
    try {
      const Manifest manifest = validate_checkpoint(folder.path, folder.step);
      fill(folder.path, manifest, view);
      view.optimizer.set_steps(manifest.optimizer_steps);
      view.parameters.weights_changed(executor);
      return manifest.position;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::io) throw;
      emit(Severity::warning, "checkpoint",
           std::string(error.what()) + "; the one before it is tried");
      if (newest_damage.empty()) newest_damage = error.what();
    }
  }
  check(newest_damage.empty(), ErrorKind::io, checkpoints_path(run_folder),
        "holds no checkpoint that is whole; the newest: ", newest_damage);
  return std::nullopt;
}

}  // namespace ffn::inline v0
