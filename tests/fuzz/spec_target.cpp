#include <string>
#include <string_view>

#include "ffn/feedforward/registry.h"
#include "target.h"

namespace {

using ffn::FeedForwardSpec;

constexpr std::size_t kMaxText = 4096;  // of spec.h

// Reads `text`; what reads prints, and the print reads as the same spec. A print that blanks and
// digits made longer than any text may be is not read. True when `spec` was set.
template <class Parse>
bool read_twice(std::string_view text, const Parse& parse, FeedForwardSpec& spec) {
  try {
    spec = parse(text);
  } catch (const ffn::Error& error) {
    ffn::fuzz::require(error.kind() == ffn::ErrorKind::config, "a bad text is a config error");
    return false;
  }
  ffn::fuzz::require(text.size() <= kMaxText, "the limit holds");
  const std::string printed = to_string(spec);
  if (printed.size() > kMaxText) return true;
  try {
    ffn::fuzz::require(parse(printed) == spec, "the print of a spec reads as the spec");
  } catch (const ffn::Error& error) {
    ffn::fuzz::require(false, error.what());
  }
  return true;
}

// What a model of that width makes of a known design: a width it can have, or a config error.
void check_hidden(const FeedForwardSpec& spec, std::int64_t width) {
  try {
    const FeedForwardSpec full = ffn::standard_designs().with_hidden(spec, width);
    ffn::fuzz::require(full.ratio == 0 && full.options.contains("hidden"), "the width is written");
    const std::string printed = to_string(full);
    if (printed.size() <= kMaxText)
      ffn::fuzz::require(ffn::standard_designs().parse(printed) == full, "and reads again");
  } catch (const ffn::Error& error) {
    ffn::fuzz::require(error.kind() == ffn::ErrorKind::config, "a bad width is a config error");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FeedForwardSpec spec;
  const bool is_syntax = read_twice(text, ffn::parse_spec, spec);
  const auto known = [](std::string_view t) { return ffn::standard_designs().parse(t); };
  const bool is_known = read_twice(text, known, spec);
  ffn::fuzz::require(is_syntax || !is_known, "a known design is good syntax");
  if (is_known)
    for (const std::int64_t width : {1, 192, 1 << 20}) check_hidden(spec, width);
  return 0;
}
