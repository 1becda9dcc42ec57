// The text form of a feed-forward design: glu(silu, hidden=512). Grammar in docs/feedforward.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

// What stands between the brackets. A design's own file gives it meaning.
struct FeedForwardSpec {
  std::string design;
  std::vector<std::string> words;              // activations and numbers, in their order
  std::vector<FeedForwardSpec> nested;         // designs inside, e.g. the expert
  double ratio = 0;                            // x4: hidden width over model width; 0: not given
  std::map<std::string, std::string> options;  // key=value

  friend bool operator==(const FeedForwardSpec&, const FeedForwardSpec&) = default;
};

// The syntax alone, names as written. Errors: config naming the position and what was expected.
// Memory and time are linear in the text; at most 4096 characters and 8 levels.
FeedForwardSpec parse_spec(std::string_view text);

// The canonical text: words, nested designs, ratio, options by name. parse_spec() of it gives the
// spec again.
std::string to_string(const FeedForwardSpec& spec);

}  // namespace ffn::inline v0
