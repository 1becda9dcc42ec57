#include "ffn/autograd/taps.h"

namespace ffn::inline v0 {

void Taps::set(std::string_view name, Tap tap) {
  std::erase_if(taps_, [&](const auto& entry) { return entry.first == name; });
  if (tap.read || tap.replace) taps_.emplace_back(std::string(name), std::move(tap));
}

}  // namespace ffn::inline v0
