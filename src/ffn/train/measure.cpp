#include "ffn/train/measure.h"

#include <cmath>
#include <numbers>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {

std::string_view to_string(Measure measure) {
  return measure == Measure::accuracy ? "accuracy" : "bits_per_byte";
}

Measure parse_measure(std::string_view name) {
  for (const Measure measure : {Measure::accuracy, Measure::bits_per_byte})
    if (name == to_string(measure)) return measure;
  fail(ErrorKind::config, "measure", "'", name, "' is unknown; expected accuracy or bits_per_byte");
}

double bits_of(double nats) { return nats / std::numbers::ln2; }

double quality(const Score& score, Measure measure) {
  return measure == Measure::accuracy ? score.accuracy() : bits_of(score.loss);
}

bool is_better(const Score& a, const Score& b, Measure measure) {
  const double of_a = quality(a, measure), of_b = quality(b, measure);
  return is_better(of_a, of_b, measure) || (of_a == of_b && a.loss < b.loss);
}

double document_standard_error(std::span<const double> losses,
                               std::span<const std::int32_t> counts) {
  constexpr const char* kWhere = "document_standard_error";
  check(losses.size() == counts.size(), ErrorKind::config, kWhere, losses.size(), " losses and ",
        counts.size(), " counts");
  if (losses.size() < 2) return 0;
  double nats = 0, bytes = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    check(counts[i] >= 0, ErrorKind::config, kWhere, "a document has ", counts[i], " predictions");
    nats += losses[i];
    bytes += counts[i];
  }
  check(bytes > 0, ErrorKind::config, kWhere, "the documents hold no predictions");
  const auto n = static_cast<double>(losses.size());
  const double ratio = nats / bytes;
  double squares = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double expected = fault(614) ? nats / n : ratio * counts[i];
    squares += (losses[i] - expected) * (losses[i] - expected);
  }
  return bits_of(std::sqrt(n / (n - 1) * squares) / bytes);
}

}  // namespace ffn::inline v0
