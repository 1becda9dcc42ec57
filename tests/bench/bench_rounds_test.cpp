#include "ffn/bench/bench_rounds.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "ffn/bench/suite.h"

namespace ffn {
namespace {

std::vector<BenchCase> smoke_cases() {
  const std::vector<BenchSuite> suites{embedded_suite("smoke")};
  return select_cases(suites, "smoke/glu");
}

TEST(BenchRounds, EveryRequestIsARoundOfSamples) {
  BenchRounds rounds(smoke_cases(), 1);
  for (const char* key : {"smoke/glu/forward", "smoke/glu/forward", "smoke/glu/backward"}) {
    const nlohmann::json answer = nlohmann::json::parse(rounds.answer(key));
    EXPECT_EQ(answer["schema"], 1);
    EXPECT_EQ(answer["case"], key);
    EXPECT_EQ(answer["threads"], 1);
    EXPECT_FALSE(answer["verified"].get<std::string>().empty());
    EXPECT_GT(answer["measured_bytes"], 0);
    EXPECT_GE(answer["ms"].size(), 6u);
    for (const nlohmann::json& ms : answer["ms"]) EXPECT_GT(ms, 0);
  }
}

TEST(BenchRounds, AnErrorIsAnAnswerToo) {
  BenchRounds rounds(smoke_cases(), 1);
  const nlohmann::json wrong = nlohmann::json::parse(rounds.answer("smoke/\xff"));
  EXPECT_NE(wrong["error"].get<std::string>().find("there is no case"), std::string::npos);
  EXPECT_FALSE(wrong.contains("ms"));
  EXPECT_TRUE(nlohmann::json::parse(rounds.answer("smoke/glu/forward")).contains("ms"));
}

}  // namespace
}  // namespace ffn
