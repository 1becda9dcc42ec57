// Every operation of this folder by name: what a list of cases must cover.
#pragma once

#include <span>
#include <string_view>

namespace ffn::inline v0 {

// Sorted; the same strings as Op::name().
std::span<const std::string_view> op_names();

}  // namespace ffn::inline v0
