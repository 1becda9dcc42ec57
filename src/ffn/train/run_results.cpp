#include "ffn/train/run_results.h"

#include <cstring>
#include <filesystem>

#include "ffn/base/error.h"
#include "ffn/base/process.h"
#include "ffn/base/timer.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/safetensors.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kSchema = 1;

std::string in(const std::string& folder, const char* name) { return folder + "/" + name; }

void write_json(const std::string& path, const ordered_json& object) {
  AtomicFile file(path);
  file.write(object.dump(2) + "\n");
  file.commit();
}

ordered_json to_json(const Score& score) {
  return {{"accuracy", score.accuracy()},
          {"loss", score.loss},
          {"right", score.right},
          {"count", score.count}};
}

Score read_score(ObjectReader reader) {
  Score score;
  reader.number("accuracy");  // for readers of the file; right and count hold it
  score.loss = reader.number("loss");
  score.right = reader.integer("right");
  score.count = reader.integer("count");
  reader.finish();
  return score;
}

ordered_json to_json(const MeasuredCosts& costs) {
  return {{"median_ms", costs.median_ms},
          {"p10_ms", costs.p10_ms},
          {"p90_ms", costs.p90_ms},
          {"images_per_s", costs.images_per_s},
          {"ledger_peak_bytes", costs.ledger_peak_bytes},
          {"process_peak_bytes", costs.process_peak_bytes}};
}

MeasuredCosts read_costs_of(ObjectReader reader) {
  MeasuredCosts costs;
  costs.median_ms = reader.number("median_ms");
  costs.p10_ms = reader.number("p10_ms");
  costs.p90_ms = reader.number("p90_ms");
  costs.images_per_s = reader.number("images_per_s");
  costs.ledger_peak_bytes = reader.integer("ledger_peak_bytes");
  costs.process_peak_bytes = reader.integer("process_peak_bytes");
  reader.finish();
  return costs;
}

std::vector<std::int32_t> read_column(const SafetensorsFile& file, const std::string& path,
                                      const char* name, std::int64_t count) {
  const SafetensorsTensor& tensor = file.at(name);
  check(tensor.dtype == DType::i32 && tensor.shape == std::vector<std::int64_t>{count},
        ErrorKind::io, path, "'", name, "' is not [", count, "] of I32");
  std::vector<std::int32_t> values(static_cast<std::size_t>(count));
  if (count > 0)
    std::memcpy(values.data(), file.data(tensor).data(), values.size() * sizeof(std::int32_t));
  return values;
}

}  // namespace

MeasuredCosts measured_costs(std::span<const double> times_ms, std::int64_t images,
                             std::int64_t ledger_peak_bytes) {
  MeasuredCosts costs;
  costs.ledger_peak_bytes = ledger_peak_bytes;
  costs.process_peak_bytes = process_peak_bytes();
  if (times_ms.empty()) return costs;
  const SampleSummary summary = summarize(times_ms);
  costs.median_ms = summary.median;
  costs.p10_ms = summary.p10;
  costs.p90_ms = summary.p90;
  if (summary.median > 0) costs.images_per_s = 1e3 * static_cast<double>(images) / summary.median;
  return costs;
}

void write_scores(const std::string& run_folder, const RunScores& scores) {
  ordered_json object{{"schema", kSchema},
                      {"steps", scores.steps},
                      {"skipped_steps", scores.skipped_steps},
                      {"train", to_json(scores.train)},
                      {"validation", to_json(scores.validation)}};
  object["test"] = scores.test ? to_json(*scores.test) : ordered_json(nullptr);
  write_json(in(run_folder, "result.json"), object);
}

RunScores read_scores(const std::string& run_folder) {
  const std::string path = in(run_folder, "result.json");
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  RunScores scores;
  scores.steps = reader.integer("steps");
  scores.skipped_steps = reader.integer("skipped_steps");
  scores.train = read_score(reader.object("train"));
  scores.validation = read_score(reader.object("validation"));
  if (!reader.is_null("test")) scores.test = read_score(reader.object("test"));
  reader.finish();
  return scores;
}

bool is_finished(const std::string& run_folder) {
  std::error_code ignored;
  return std::filesystem::exists(in(run_folder, "result.json"), ignored);
}

void write_costs(const std::string& run_folder, const MeasuredCosts& costs) {
  ordered_json object{{"schema", kSchema}};
  object["training"] = to_json(costs);
  write_json(in(run_folder, "costs.json"), object);
}

MeasuredCosts read_costs(const std::string& run_folder) {
  const std::string path = in(run_folder, "costs.json");
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  const MeasuredCosts costs = read_costs_of(reader.object("training"));
  reader.finish();
  return costs;
}

void write_test_record(const std::string& run_folder, const TestRecord& record,
                       std::span<const float> losses) {
  const auto count = static_cast<std::int64_t>(record.predicted.size());
  const SafetensorsSource sources[] = {
      {"predicted", DType::i32, {count}, std::as_bytes(std::span(record.predicted))},
      {"label", DType::i32, {count}, std::as_bytes(std::span(record.labels))},
      {"loss", DType::f32, {count}, std::as_bytes(losses)}};
  write_safetensors(in(run_folder, "test.safetensors"), sources);
  const ordered_json object{
      {"schema", kSchema}, {"score", to_json(record.score)}, {"costs", to_json(record.costs)}};
  write_json(in(run_folder, "test.json"), object);
}

TestRecord read_test_record(const std::string& run_folder) {
  const std::string path = in(run_folder, "test.json");
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  TestRecord record;
  record.score = read_score(reader.object("score"));
  record.costs = read_costs_of(reader.object("costs"));
  reader.finish();
  const std::string data = in(run_folder, "test.safetensors");
  const SafetensorsFile file(data);
  record.predicted = read_column(file, data, "predicted", record.score.count);
  record.labels = read_column(file, data, "label", record.score.count);
  return record;
}

double document_standard_error(std::span<const double>, std::span<const std::int32_t>) { return 0; }

bool has_test_record(const std::string& run_folder) {
  std::error_code ignored;
  return std::filesystem::exists(in(run_folder, "test.json"), ignored);
}

}  // namespace ffn::inline v0
