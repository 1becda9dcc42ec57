// Which number says how good a model is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ffn/train/score.h"

namespace ffn::inline v0 {

enum class Measure {
  accuracy,       // share of the pictures named correctly: a fraction, higher is better
  bits_per_byte,  // mean bits that the model needs for a byte of text: lower is better
};

std::string_view to_string(Measure measure);  // "accuracy", "bits_per_byte"
// Throws Error{config} for an unknown name.
Measure parse_measure(std::string_view name);

constexpr bool higher_is_better(Measure measure) { return measure == Measure::accuracy; }
// Whether quality `a` is strictly better than quality `b`.
constexpr bool is_better(double a, double b, Measure measure) {
  return higher_is_better(measure) ? a > b : a < b;
}

double bits_of(double nats);  // nats / ln 2

// accuracy: right / count. bits_per_byte: loss / ln 2, since every prediction is of one byte.
double quality(const Score& score, Measure measure);
// Better in quality or, where that is equal, of lower loss.
bool is_better(const Score& a, const Score& b, Measure measure);

// Standard error of r = Σ l / Σ c, in bits, when the n documents are drawn anew: with l_i nats over
// c_i bytes, √(n/(n − 1) · Σ (l_i − r·c_i)²) / Σ c / ln 2, the usual linear approximation of a
// ratio's deviation. 0 for fewer than two documents. Errors: config when the two differ in length,
// a count is negative or all are 0.
// Source: Cochran, "Sampling Techniques", 3rd edition, 1977, section 6.4.
double document_standard_error(std::span<const double> losses,
                               std::span<const std::int32_t> counts);

}  // namespace ffn::inline v0
