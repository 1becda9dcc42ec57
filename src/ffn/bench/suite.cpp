#include "ffn/bench/suite.h"

#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/bench/embedded_suites.h"

namespace ffn::inline v0 {

std::span<const EmbeddedSuite> embedded_suites() { return kEmbeddedSuites; }

BenchSuite embedded_suite(std::string_view name) {
  std::vector<std::string_view> names;
  for (const EmbeddedSuite& suite : embedded_suites()) {
    if (suite.name == name) return parse_suite(suite.text, std::string(name) + ".json");
    names.push_back(suite.name);
  }
  fail(ErrorKind::config, "bench", "unknown suite '", name, "'", did_you_mean(name, names));
}

std::vector<BenchCase> select_cases(std::span<const BenchSuite> suites, std::string_view only) {
  std::vector<BenchCase> cases;
  for (const BenchSuite& suite : suites) {
    for (const BenchCase& c : suite.cases)
      if ((c.suite + "/" + c.name).find(only) != std::string::npos) cases.push_back(c);
  }
  check(!cases.empty(), ErrorKind::config, "--only", "no case has '", only,
        "' in its suite and name; --list shows them");
  return cases;
}

}  // namespace ffn::inline v0
