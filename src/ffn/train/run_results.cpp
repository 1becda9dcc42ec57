#include "ffn/train/run_results.h"

#include <cstring>
#include <filesystem>
#include <numeric>
#include <type_traits>

#include "ffn/base/error.h"
#include "ffn/base/process.h"
#include "ffn/base/timer.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/safetensors.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kSchema = 2;

std::string in(const std::string& folder, const char* name) { return folder + "/" + name; }

void write_json(const std::string& path, const ordered_json& object) {
  AtomicFile file(path);
  file.write(object.dump(2) + "\n");
  file.commit();
}

ordered_json to_json(const Score& score, Measure measure) {
  return {{std::string(to_string(measure)), quality(score, measure)},
          {"standard_error", score.standard_error},
          {"loss", score.loss},
          {"right", score.right},
          {"count", score.count}};
}

Score read_score(ObjectReader reader, Measure measure) {
  Score score;
  // For readers of the file; loss, right and count hold it.
  reader.number(std::string(to_string(measure)).c_str());
  score.standard_error = reader.number("standard_error");
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
          {"items_per_s", costs.items_per_s},
          {"ledger_peak_bytes", costs.ledger_peak_bytes},
          {"process_peak_bytes", costs.process_peak_bytes}};
}

MeasuredCosts read_costs_of(ObjectReader reader) {
  MeasuredCosts costs;
  costs.median_ms = reader.number("median_ms");
  costs.p10_ms = reader.number("p10_ms");
  costs.p90_ms = reader.number("p90_ms");
  costs.items_per_s = reader.number("items_per_s");
  costs.ledger_peak_bytes = reader.integer("ledger_peak_bytes");
  costs.process_peak_bytes = reader.integer("process_peak_bytes");
  reader.finish();
  return costs;
}

Measure read_measure(ObjectReader& reader, const std::string& path) {
  const std::string name = reader.text("measure");
  try {
    return parse_measure(name);
  } catch (const Error& error) {
    fail(ErrorKind::io, path, error.what());
  }
}

template <class T>
void read_column(const SafetensorsFile& file, const std::string& path, const char* name,
                 std::int64_t count, std::vector<T>& values) {
  constexpr bool kWhole = std::is_same_v<T, std::int32_t>;
  const StoredTensor& tensor = file.at(name);
  check(tensor.dtype == (kWhole ? DType::i32 : DType::f64) &&
            tensor.shape == std::vector<std::int64_t>{count},
        ErrorKind::io, path, "'", name, "' is not [", count, "] of ", kWhole ? "I32" : "F64");
  values.resize(static_cast<std::size_t>(count));
  if (count > 0) std::memcpy(values.data(), file.data(tensor).data(), values.size() * sizeof(T));
}

void check_sum(const std::vector<std::int32_t>& values, std::int64_t expected,
               const std::string& path, const char* name) {
  const auto sum = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  check(sum == expected, ErrorKind::io, path, "'", name, "' adds up to ", sum, ", the score says ",
        expected);
}

}  // namespace

MeasuredCosts measured_costs(std::span<const double> times_ms, std::int64_t items,
                             std::int64_t ledger_peak_bytes) {
  MeasuredCosts costs;
  costs.ledger_peak_bytes = ledger_peak_bytes;
  costs.process_peak_bytes = process_peak_bytes();
  if (times_ms.empty()) return costs;
  const SampleSummary summary = summarize(times_ms);
  costs.median_ms = summary.median;
  costs.p10_ms = summary.p10;
  costs.p90_ms = summary.p90;
  if (summary.median > 0) costs.items_per_s = 1e3 * static_cast<double>(items) / summary.median;
  return costs;
}

void write_scores(const std::string& run_folder, const RunScores& scores) {
  const Measure measure = scores.measure;
  ordered_json object{{"schema", kSchema},
                      {"measure", to_string(measure)},
                      {"steps", scores.steps},
                      {"skipped_steps", scores.skipped_steps},
                      {"train", to_json(scores.train, measure)},
                      {"validation", to_json(scores.validation, measure)}};
  object["test"] = scores.test ? to_json(*scores.test, measure) : ordered_json(nullptr);
  write_json(in(run_folder, "result.json"), object);
}

RunScores read_scores(const std::string& run_folder) {
  const std::string path = in(run_folder, "result.json");
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  RunScores scores;
  scores.measure = read_measure(reader, path);
  scores.steps = reader.integer("steps");
  scores.skipped_steps = reader.integer("skipped_steps");
  scores.train = read_score(reader.object("train"), scores.measure);
  scores.validation = read_score(reader.object("validation"), scores.measure);
  if (!reader.is_null("test")) scores.test = read_score(reader.object("test"), scores.measure);
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

void write_test_record(const std::string& run_folder, const TestRecord& record) {
  const auto examples = static_cast<std::int64_t>(record.right.size());
  const SafetensorsSource sources[] = {
      {"right", DType::i32, {examples}, std::as_bytes(std::span(record.right))},
      {"count", DType::i32, {examples}, std::as_bytes(std::span(record.counts))},
      {"loss", DType::f64, {examples}, std::as_bytes(std::span(record.losses))}};
  write_safetensors(in(run_folder, "test.safetensors"), sources);
  const ordered_json object{{"schema", kSchema},
                            {"measure", to_string(record.measure)},
                            {"examples", examples},
                            {"score", to_json(record.score, record.measure)},
                            {"costs", to_json(record.costs)}};
  write_json(in(run_folder, "test.json"), object);
}

TestRecord read_test_record(const std::string& run_folder) {
  const std::string path = in(run_folder, "test.json");
  const nlohmann::json object = read_json_object(path);
  ObjectReader reader(object, path);
  reader.schema(kSchema);
  TestRecord record;
  record.measure = read_measure(reader, path);
  const std::int64_t examples = reader.integer("examples");
  record.score = read_score(reader.object("score"), record.measure);
  record.costs = read_costs_of(reader.object("costs"));
  reader.finish();
  const std::string data = in(run_folder, "test.safetensors");
  const SafetensorsFile file(data);
  read_column(file, data, "right", examples, record.right);
  read_column(file, data, "count", examples, record.counts);
  read_column(file, data, "loss", examples, record.losses);
  check_sum(record.right, record.score.right, data, "right");
  check_sum(record.counts, record.score.count, data, "count");
  return record;
}

bool has_test_record(const std::string& run_folder) {
  std::error_code ignored;
  return std::filesystem::exists(in(run_folder, "test.json"), ignored);
}

}  // namespace ffn::inline v0
