// The axis of a plot: its range and the numbers written along it.
#pragma once

#include <string>
#include <vector>

#include "ffn/report/table.h"

namespace ffn::inline v0 {

struct Axis {
  std::string title;  // with its unit, unless the numbers carry it: "training time (minutes)"
  NumberStyle style = NumberStyle::plain;
  bool logarithmic = false;
  // A linear axis covers at least this much, so that a tiny difference does not look large.
  double least_span = 0;
};

struct Tick {
  double value = 0;
  std::string label;  // "90.5 %", "20 MiB", "5.2 M"
};

struct AxisTicks {
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<Tick> ticks;  // ascending, inside [low, high]

  // Where a value stands: 0 at low, 1 at high.
  double share(double value) const;
};

// Ticks at 1, 2 or 5 times a power of ten (bytes: of the unit; logarithmic bytes: powers of two),
// about `wanted` of them. The range covers [low, high], and stays within 0 and 100 % where these
// values do. A logarithmic axis over less than a factor of 4 has linear steps.
// Needs finite low <= high, and low > 0 on a logarithmic axis.
AxisTicks axis_ticks(const Axis& axis, double low, double high, int wanted = 5);

// `value` with a fixed number of decimals, whatever the locale. -0 reads 0.
std::string fixed_text(double value, int decimals);

}  // namespace ffn::inline v0
