// The nearest of a list of names, for messages about a name that nobody knows.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

// Insertions, deletions, replacements and exchanges of neighbours that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// ", did you mean 'swiglu'?" when one of the names is at most a third of `name` away (at least one
// edit); otherwise "; known are a, b, c".
std::string did_you_mean(std::string_view name, std::span<const std::string_view> names);

}  // namespace ffn::inline v0
