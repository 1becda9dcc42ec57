// Taps: named places in a design where a run may read a value or put another one in its place.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffn/autograd/value.h"

namespace ffn::inline v0 {

class Executor;

struct Tap {
  // Sees the value once per step, never in a replay. On a dry device the tensor has no data.
  std::function<void(const Tensor&)> read;
  // Returns the value to go on with; built from operations, so that gradients pass. Runs in replays
  // too.
  std::function<Value(Executor&, Value)> replace;
};

class Taps {
 public:
  // Sets (or with an empty Tap removes) the tap of that name.
  void set(std::string_view name, Tap tap);
  void clear() { taps_.clear(); }
  const Tap* find(std::string_view name) const {
    for (const auto& [known, tap] : taps_)
      if (known.size() == prefix_.size() + name.size() && known.starts_with(prefix_) &&
          known.ends_with(name))
        return &tap;
    return nullptr;
  }

 private:
  friend class TapScope;
  std::vector<std::pair<std::string, Tap>> taps_;  // a handful: a scan beats a hash
  std::string prefix_;                             // of the names that are asked for
};

// A design inside another: until the end of the scope its places are named "<part>.<name>".
class TapScope {
 public:
  TapScope(Taps& taps, std::string_view part) : taps_(taps), before_(taps.prefix_) {
    taps_.prefix_.append(part).append(".");
  }
  ~TapScope() { taps_.prefix_ = std::move(before_); }
  TapScope(const TapScope&) = delete;
  TapScope& operator=(const TapScope&) = delete;

 private:
  Taps& taps_;
  std::string before_;
};

}  // namespace ffn::inline v0
