#include "feedforward/designs.h"

#include "ffn/base/error.h"

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
