#include "ffn/report/axis_ticks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace ffn::inline v0 {
namespace {

// Numbers read as value / size followed by name.
struct Unit {
  double size = 1;
  std::string name;
};

Unit unit_of(NumberStyle style, double largest) {
  static constexpr std::array kBytes{" B", " KiB", " MiB", " GiB", " TiB"};
  static constexpr std::array kFlops{" FLOP",  " kFLOP", " MFLOP", " GFLOP",
                                     " TFLOP", " PFLOP", " EFLOP"};
  static constexpr std::array kCounts{"", " k", " M", " G", " T"};
  const auto largest_below = [largest](const auto& names, double base, double from) {
    Unit unit{1, names[0]};
    for (std::size_t i = 1; i < names.size() && largest >= unit.size * base * from; ++i)
      unit = {unit.size * base, names[i]};
    return unit;
  };
  switch (style) {
    case NumberStyle::plain: return {};
    case NumberStyle::percent: return {0.01, " %"};
    case NumberStyle::bytes: return largest_below(kBytes, 1024, 1);
    case NumberStyle::flops: return largest_below(kFlops, 1000, 1);
    // "8,000" reads better than "8 k"; from 10,000 on the short form does.
    case NumberStyle::count: return largest < 10000 ? Unit{} : largest_below(kCounts, 1000, 1);
  }
  return {};
}

double power_of_ten(int exponent) { return std::pow(10.0, exponent); }

// The least of 1, 2, 5 times a power of ten that is not below `step`.
double nice_step(double step) {
  const double base = power_of_ten(static_cast<int>(std::floor(std::log10(step))));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * base >= step * (1 - 1e-9)) return factor * base;
  return 10 * base;
}

std::string with_commas(std::string digits) {
  const std::size_t end = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = end; at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string shortest_text(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 4);
  return {text.data(), end.ptr};
}

std::string tick_label(double value, double step, const Unit& unit) {
  const double shown = value / unit.size;
  const double shown_step = step / unit.size;
  if (shown_step < 1e-4 || std::abs(shown) >= 1e9) return shortest_text(shown) + unit.name;
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(shown_step) + 1e-9)));
  return with_commas(fixed_text(shown, decimals)) + unit.name;
}

// Widened to the least span, and off zero width; never across 0 or 100 % by widening alone.
void widen(const Axis& axis, double& low, double& high) {
  const double largest = std::max(std::abs(low), std::abs(high));
  double span = std::max(axis.least_span, largest * 1e-6);
  if (low == high) span = std::max(span, largest > 0 ? largest * 0.1 : 1.0);
  if (high - low >= span) return;
  const bool positive = low >= 0;
  const bool share = axis.style == NumberStyle::percent && positive && high <= 1;
  const double middle = low + (high - low) / 2;
  low = middle - span / 2;
  if (positive) low = std::max(low, 0.0);
  high = low + span;
  if (share && high > 1) {
    high = 1;
    low = std::max(0.0, 1 - span);
  }
}

AxisTicks linear_ticks(const Axis& axis, double low, double high, int wanted) {
  const double data_low = low, data_high = high;
  widen(axis, low, high);
  const Unit unit = unit_of(axis.style, std::max(std::abs(low), std::abs(high)));
  double step = nice_step((high - low) / unit.size / std::max(wanted, 1)) * unit.size;
  if (axis.style == NumberStyle::count) step = std::max(step, 1.0);
  const double first = std::floor(low / step), last = std::ceil(high / step);
  AxisTicks ticks;
  ticks.low = std::min(first * step, data_low);
  ticks.high = std::max(last * step, data_high);
  for (double index = first; index <= last; ++index) {
    const double value = index * step;
    if (value < ticks.low || value > ticks.high) continue;
    ticks.ticks.push_back({value, tick_label(value, step, unit)});
  }
  return ticks;
}

// All the places a logarithmic axis may have a tick, from at most `low` to at least `high`.
std::vector<double> logarithmic_places(const Axis& axis, double low, double high) {
  std::vector<double> places;
  if (axis.style == NumberStyle::bytes) {
    const int first = static_cast<int>(std::floor(std::log2(low)));
    for (int i = first; places.empty() || places.back() < high; ++i)
      places.push_back(std::ldexp(1.0, i));
    return places;
  }
  const bool few_decades = std::log10(high / low) <= 3;
  for (int i = static_cast<int>(std::floor(std::log10(low) - 1e-12));
       places.empty() || places.back() < high; ++i)
    for (const double factor : {1.0, 2.0, 5.0})
      if (factor == 1.0 || few_decades) places.push_back(factor * power_of_ten(i));
  return places;
}

AxisTicks logarithmic_ticks(const Axis& axis, double low, double high, int wanted) {
  std::vector<double> places = logarithmic_places(axis, low, high);
  // The last place at or below low, and the first at or above high, bound the axis.
  while (places.size() > 1 && places[1] <= low) places.erase(places.begin());
  while (places.size() > 1 && places[places.size() - 2] >= high) places.pop_back();
  AxisTicks ticks;
  ticks.logarithmic = true;
  ticks.low = std::min(places.front(), low);
  ticks.high = std::max(places.back(), high);
  const std::size_t most = static_cast<std::size_t>(std::max(wanted, 1)) + 2;
  const std::size_t stride = (places.size() + most - 1) / most;
  for (std::size_t i = 0; i < places.size(); i += stride) {
    const Unit unit = unit_of(axis.style, places[i]);
    ticks.ticks.push_back({places[i], shortest_text(places[i] / unit.size) + unit.name});
  }
  return ticks;
}

}  // namespace

double AxisTicks::share(double value) const {
  if (!logarithmic) return (value - low) / (high - low);
  // Differences of logarithms: high / low may overflow.
  return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
}

AxisTicks axis_ticks(const Axis& axis, double low, double high, int wanted) {
  if (!axis.logarithmic) return linear_ticks(axis, low, high, wanted);
  if (high / low >= 4) return logarithmic_ticks(axis, low, high, wanted);
  AxisTicks ticks = linear_ticks(axis, low, high, wanted);
  ticks.logarithmic = ticks.low > 0;  // over so short a range the two hardly differ
  return ticks;
}

std::string fixed_text(double value, int decimals) {
  std::array<char, 352> text{};  // the largest double has 309 digits
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, std::min(decimals, 30));
  std::string shown{text.data(), end.ptr};
  const bool zero = shown.find_first_not_of("-0.") == std::string::npos;
  return zero && shown.starts_with('-') ? shown.substr(1) : shown;
}

}  // namespace ffn::inline v0
