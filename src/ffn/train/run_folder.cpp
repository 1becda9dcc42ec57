#include "ffn/train/run_folder.h"

#include <cmath>
#include <filesystem>
#include <system_error>

#include "ffn/base/error.h"
#include "ffn/io/atomic_file.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::int64_t kSchema = 1;

ordered_json to_json(const AugmentOptions& o) {
  return {{"crop_padding", o.crop_padding},
          {"flip", o.flip},
          {"erase_probability", o.erase_probability},
          {"erase_area_min", o.erase_area_min},
          {"erase_area_max", o.erase_area_max},
          {"erase_ratio_min", o.erase_ratio_min},
          {"erase_ratio_max", o.erase_ratio_max},
          {"erase_fill", o.erase_fill == EraseFill::zero ? "zero" : "normal"},
          {"mixup_alpha", o.mixup_alpha},
          {"cutmix_alpha", o.cutmix_alpha},
          {"switch_probability", o.switch_probability},
          {"label_smoothing", o.label_smoothing}};
}

AugmentOptions read_augment(ObjectReader reader, const std::string& path) {
  AugmentOptions o;
  o.crop_padding = reader.integer("crop_padding");
  o.flip = reader.boolean("flip");
  o.erase_probability = reader.number("erase_probability");
  o.erase_area_min = reader.number("erase_area_min");
  o.erase_area_max = reader.number("erase_area_max");
  o.erase_ratio_min = reader.number("erase_ratio_min");
  o.erase_ratio_max = reader.number("erase_ratio_max");
  const std::string fill = reader.text("erase_fill");
  check(fill == "zero" || fill == "normal", ErrorKind::io, path,
        "'augment.erase_fill' is neither zero nor normal");
  o.erase_fill = fill == "zero" ? EraseFill::zero : EraseFill::normal;
  o.mixup_alpha = reader.number("mixup_alpha");
  o.cutmix_alpha = reader.number("cutmix_alpha");
  o.switch_probability = reader.number("switch_probability");
  o.label_smoothing = reader.number("label_smoothing");
  reader.finish();
  return o;
}

ordered_json to_json(const ScheduleOptions& o) {
  return {{"lr", o.lr},
          {"warmup_lr", o.warmup_lr},
          {"min_lr", o.min_lr},
          {"warmup_steps", o.warmup_steps},
          {"total_steps", o.total_steps}};
}

ScheduleOptions read_schedule(ObjectReader reader) {
  ScheduleOptions o;
  o.lr = reader.number("lr");
  o.warmup_lr = reader.number("warmup_lr");
  o.min_lr = reader.number("min_lr");
  o.warmup_steps = reader.integer("warmup_steps");
  o.total_steps = reader.integer("total_steps");
  reader.finish();
  return o;
}

ordered_json to_json(const AdamWOptions& o) {
  return {{"beta1", o.beta1}, {"beta2", o.beta2}, {"eps", o.eps}, {"weight_decay", o.weight_decay}};
}

AdamWOptions read_optimizer(ObjectReader reader) {
  AdamWOptions o;
  o.beta1 = reader.number("beta1");
  o.beta2 = reader.number("beta2");
  o.eps = reader.number("eps");
  o.weight_decay = reader.number("weight_decay");
  reader.finish();
  return o;
}

// JSON has no infinity: what a reader would refuse must not be written.
void check_finite(const ordered_json& value, const std::string& name) {
  if (value.is_number_float())
    check(std::isfinite(value.get<double>()), ErrorKind::config, "run", "'", name,
          "' is not finite");
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.items())
    check_finite(inner, name.empty() ? key : name + "." + key);
}

std::string run_path(const std::string& folder) { return (fs::path(folder) / "run.json").string(); }

}  // namespace

std::string metrics_path(const std::string& run_folder) {
  return (fs::path(run_folder) / "metrics.jsonl").string();
}

std::string checkpoints_path(const std::string& run_folder) {
  return (fs::path(run_folder) / "checkpoints").string();
}

std::string run_json(const RunDescription& run) {
  check_schedule(run.schedule);
  check_augment(run.augment);
  const ordered_json object = {{"schema", kSchema},
                               {"model", run.model},
                               {"environment", run.environment},
                               {"data", run.data},
                               {"pad_to", run.pad_to},
                               {"shuffle_patches", run.shuffle_patches},
                               {"seed", run.seed},
                               {"epochs", run.epochs},
                               {"batch", run.batch},
                               {"max_norm", run.max_norm},
                               {"eval_steps", run.eval_steps},
                               {"read_test", run.read_test},
                               {"schedule", to_json(run.schedule)},
                               {"optimizer", to_json(run.optimizer)},
                               {"augment", to_json(run.augment)}};
  check_finite(object, "");
  try {
    return object.dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::config, "run", "a text of the description is not UTF-8");
  }
}

void create_run_folder(const std::string& folder, const RunDescription& run) {
  const std::string text = run_json(run), path = run_path(folder);
  std::error_code code;
  check(!fs::exists(path, code), ErrorKind::config, folder,
        "is a run already: resume it, or choose another folder");
  fs::create_directories(folder, code);
  check(!code, ErrorKind::io, folder, "cannot be made: ", code.message());
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

RunDescription read_run_folder(const std::string& folder) {
  const std::string path = run_path(folder);
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  RunDescription run;
  run.model = reader.texts("model");
  run.environment = reader.texts("environment");
  run.data = reader.text("data");
  run.pad_to = reader.integer("pad_to");
  run.shuffle_patches = reader.integer("shuffle_patches");
  run.seed = reader.seed("seed");
  run.epochs = reader.integer("epochs");
  run.batch = reader.integer("batch");
  run.max_norm = reader.number("max_norm");
  run.eval_steps = reader.integer("eval_steps");
  run.read_test = reader.boolean("read_test");
  run.schedule = read_schedule(reader.object("schedule"));
  run.optimizer = read_optimizer(reader.object("optimizer"));
  run.augment = read_augment(reader.object("augment"), path);
  reader.finish();
  return run;
}

}  // namespace ffn::inline v0
