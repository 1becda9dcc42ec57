#include "ffn/train/read_metrics.h"

#include <limits>
#include <string_view>

#include "ffn/base/error.h"
#include "ffn/io/mapped_file.h"
#include "ffn/train/expert_json.h"
#include "ffn/train/run_folder.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {
namespace {

double number_or_nan(ObjectReader& reader, const char* key) {
  return reader.is_null(key) ? std::numeric_limits<double>::quiet_NaN() : reader.number(key);
}

void read_line(ObjectReader reader, const std::string& where, RunMetrics& metrics) {
  reader.schema(1);
  const std::string kind = reader.text("kind");
  if (kind == "step") {
    metrics.steps.push_back({reader.integer("step"), number_or_nan(reader, "loss")});
  } else if (kind == "validation") {
    metrics.validations.push_back({reader.integer("step"), reader.number("validation_accuracy"),
                                   number_or_nan(reader, "validation_loss")});
  } else if (kind == "experts") {
    ExpertMetric& line = metrics.experts.emplace_back();
    line.step = reader.integer("step");
    line.router = read_router_health(reader, where);
    reader.finish();
  } else {
    fail(ErrorKind::io, where, "'kind' is '", kind, "'; expected step, validation or experts");
  }
}

}  // namespace

RunMetrics read_metrics(const std::string& run_folder) {
  const std::string path = metrics_path(run_folder);
  const MappedFile file(path);
  std::string_view text{reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
  RunMetrics metrics;
  for (int line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string where = path + ":" + std::to_string(line);
    check(end != std::string_view::npos, ErrorKind::io, where, "ends in the middle of a line");
    const nlohmann::json object = parse_json_object(text.substr(0, end), where);
    read_line(ObjectReader(object, where), where, metrics);
    text.remove_prefix(end + 1);
  }
  return metrics;
}

}  // namespace ffn::inline v0
