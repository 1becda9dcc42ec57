#include "feedforward/designs.h"

#include "ffn/base/error.h"
#include "ffn/base/philox.h"

namespace ffn::test {
namespace {

std::vector<std::string>& noted_designs() {
  static std::vector<std::string> names;
  return names;
}

template <class Attempt>
void expect_config_error(std::string_view text, std::string_view says, const Attempt& attempt) {
  try {
    attempt();
    ADD_FAILURE() << text << " was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_NE(std::string_view(error.what()).find(says), std::string_view::npos) << error.what();
  }
}

}  // namespace

std::vector<DesignCase> design_cases(Tokens kind, std::initializer_list<const char*> texts,
                                     double units) {
  std::vector<DesignCase> cases;
  for (const char* text : texts) {
    noted_designs().push_back(parse_spec(text).design);
    for (const bool bias : {false, true}) cases.push_back({text, kind, bias, units});
  }
  return cases;
}

const std::vector<std::string>& designs_with_cases() { return noted_designs(); }

std::vector<double> numbers(const char* name, std::int64_t count, double scale) {
  const RandomStream stream(5, name);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>(
        static_cast<float>(scale * stream.normal(0, static_cast<std::uint64_t>(i)))));
  return values;
}

std::int64_t hidden_width(std::string_view text, std::int64_t width) {
  const DesignRegistry& designs = standard_designs();
  FeedForwardSpec spec = designs.with_hidden(designs.parse(text), width);
  return std::stoll(designs.sized(spec).options.at("hidden"));
}

void expect_refused(std::string_view text, std::string_view says) {
  expect_config_error(text, says, [&] { standard_designs().parse(text); });
}

void expect_refused(std::string_view text, const FeedForwardSite& site, std::string_view says) {
  expect_config_error(text, says, [&] {
    ParameterSet parameters;
    standard_designs().build(standard_designs().parse(text), site, parameters);
  });
}

}  // namespace ffn::test
