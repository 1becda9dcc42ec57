// The stored form of a benchmark run, written and read side by side.
#include <nlohmann/json.hpp>

#include "ffn/base/error.h"
#include "ffn/bench/bench_report.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json json_or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json json_or_null(double speed) { return speed > 0 ? Json(speed) : Json(nullptr); }
Json json_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json json_of(const SpeedLimits& limits) {
  return {{"threads", limits.threads},
          {"f32_gflops", limits.f32_gflops},
          {"bf16_gflops", json_or_null(limits.bf16_gflops)},
          {"int8_gflops", json_or_null(limits.int8_gflops)},
          {"l1_gbps", limits.l1_gbps},
          {"l2_gbps", limits.l2_gbps},
          {"l3_gbps", limits.l3_gbps},
          {"memory_gbps", limits.memory_gbps}};
}

Json machine_json(const BenchReport& report) {
  const CacheSizes& caches = report.limits.caches;
  return {{"cpu", report.cpu},
          {"cores", report.cores},
          {"threads", report.threads},
          {"isa", report.isa},
          {"version", report.version},
          {"compiler", report.compiler},
          {"l1_bytes", caches.l1_bytes},
          {"l2_bytes", caches.l2_bytes},
          {"l3_bytes", caches.l3_bytes},
          {"one_thread", json_of(report.limits.one)},
          {"all_threads", json_of(report.limits.all)}};
}

Json json_of(const CaseResult& c) {
  return {{"suite", c.suite},
          {"name", c.name},
          {"kind", c.kind},
          {"shape", c.shape},
          {"n", c.n},
          {"dtype", c.dtype},
          {"pass", json_or_null(c.pass)},
          {"isa", c.isa},
          {"threads", c.threads},
          {"verified", c.verified},
          {"samples", c.samples},
          {"median_ms", c.median_ms},
          {"p10_ms", c.p10_ms},
          {"p90_ms", c.p90_ms},
          {"gflops", c.gflops},
          {"peak_gflops", c.peak_gflops},
          {"share_of_peak", c.share_of_peak},
          {"cpu_share_of_peak", c.cpu_share_of_peak},
          {"gbps", json_or_null(c.gbps)},
          {"share_of_bandwidth", json_or_null(c.share_of_bandwidth)},
          {"memory_level", json_or_null(c.memory_level)},
          {"predicted_bytes", json_or_null(c.predicted_bytes)},
          {"measured_bytes", json_or_null(c.measured_bytes)}};
}

Json json_of(const CaseComparison& c) {
  return {{"name", c.name},
          {"old_ms", json_or_null(c.old_ms)},
          {"new_ms", c.new_ms},
          {"ratio", json_or_null(c.ratio)},
          {"verdict", to_string(c.verdict)}};
}

std::string text_or_null(ObjectReader& reader, const char* key) {
  return reader.is_null(key) ? std::string() : reader.text(key);
}
double speed_or_null(ObjectReader& reader, const char* key) {
  return reader.is_null(key) ? 0 : reader.number(key);
}
std::optional<double> number_or_null(ObjectReader& reader, const char* key) {
  if (reader.is_null(key)) return {};
  return reader.number(key);
}
std::optional<std::int64_t> integer_or_null(ObjectReader& reader, const char* key) {
  if (reader.is_null(key)) return {};
  return reader.integer(key);
}

SpeedLimits read_limits(ObjectReader reader) {
  SpeedLimits limits;
  limits.threads = static_cast<int>(reader.integer("threads"));
  limits.f32_gflops = reader.number("f32_gflops");
  limits.bf16_gflops = speed_or_null(reader, "bf16_gflops");
  limits.int8_gflops = speed_or_null(reader, "int8_gflops");
  limits.l1_gbps = reader.number("l1_gbps");
  limits.l2_gbps = reader.number("l2_gbps");
  limits.l3_gbps = reader.number("l3_gbps");
  limits.memory_gbps = reader.number("memory_gbps");
  reader.finish();
  return limits;
}

void read_machine(ObjectReader reader, BenchReport& report) {
  report.cpu = reader.text("cpu");
  report.cores = reader.integer("cores");
  report.threads = reader.integer("threads");
  report.isa = reader.text("isa");
  report.version = reader.text("version");
  report.compiler = reader.text("compiler");
  report.limits.caches.l1_bytes = reader.integer("l1_bytes");
  report.limits.caches.l2_bytes = reader.integer("l2_bytes");
  report.limits.caches.l3_bytes = reader.integer("l3_bytes");
  report.limits.one = read_limits(reader.object("one_thread"));
  report.limits.all = read_limits(reader.object("all_threads"));
  reader.finish();
}

CaseResult read_result(ObjectReader reader) {
  CaseResult c;
  c.suite = reader.text("suite");
  c.name = reader.text("name");
  c.kind = reader.text("kind");
  c.shape = reader.text("shape");
  c.n = reader.integer("n");
  c.dtype = reader.text("dtype");
  c.pass = text_or_null(reader, "pass");
  c.isa = reader.text("isa");
  c.threads = reader.integer("threads");
  c.verified = reader.text("verified");
  c.samples = reader.integer("samples");
  c.median_ms = reader.number("median_ms");
  c.p10_ms = reader.number("p10_ms");
  c.p90_ms = reader.number("p90_ms");
  c.gflops = reader.number("gflops");
  c.peak_gflops = reader.number("peak_gflops");
  c.share_of_peak = reader.number("share_of_peak");
  c.cpu_share_of_peak = reader.number("cpu_share_of_peak");
  c.gbps = number_or_null(reader, "gbps");
  c.share_of_bandwidth = number_or_null(reader, "share_of_bandwidth");
  c.memory_level = text_or_null(reader, "memory_level");
  c.predicted_bytes = integer_or_null(reader, "predicted_bytes");
  c.measured_bytes = integer_or_null(reader, "measured_bytes");
  reader.finish();
  return c;
}

BenchReport report_of(const nlohmann::json& object, const std::string& where) {
  ObjectReader reader(object, where);
  reader.schema(1);
  BenchReport report;
  read_machine(reader.object("machine"), report);
  report.quick = reader.boolean("quick");
  for (const nlohmann::json& element : reader.array("cases")) {
    const std::string inside = "cases[" + std::to_string(report.cases.size()) + "].";
    report.cases.push_back(read_result(ObjectReader(element, where, inside)));
    const CaseResult& c = report.cases.back();
    check(c.median_ms > 0, ErrorKind::io, where, "'", inside, "median_ms' is ", c.median_ms,
          "; expected more than 0");
  }
  if (reader.has("comparison")) reader.array("comparison");  // follows from the cases of both
  reader.finish();
  return report;
}

}  // namespace

std::string bench_json(const BenchReport& report) {
  Json cases = Json::array();
  for (const CaseResult& c : report.cases) cases.push_back(json_of(c));
  Json whole = Json::object();
  whole["schema"] = 1;
  whole["machine"] = machine_json(report);
  whole["quick"] = report.quick;
  whole["cases"] = std::move(cases);
  for (const CaseComparison& c : report.comparison) whole["comparison"].push_back(json_of(c));
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

BenchReport parse_bench_report(std::string_view text, std::string_view where) {
  return report_of(parse_json_object(text, where), std::string(where));
}

BenchReport read_bench_report(const std::string& path) {
  return report_of(read_json_object(path), path);
}

}  // namespace ffn::inline v0
