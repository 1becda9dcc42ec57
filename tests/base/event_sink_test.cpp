#include "ffn/base/event_sink.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ffn {
namespace {

struct Heard {
  Severity severity;
  std::string source, text;
};

TEST(EventSink, DeliversToTheInstalledSinkOnly) {
  std::vector<Heard> first, second;
  const auto into = [](std::vector<Heard>& log) {
    return [&log](const Event& event) {
      log.push_back({event.severity, std::string(event.source), std::string(event.text)});
    };
  };
  const EventSink original = set_event_sink(into(first));
  EXPECT_FALSE(original) << "no sink is installed at start";
  emit(Severity::warning, "moe", "expert 3 received no token");

  EventSink previous = set_event_sink(into(second));
  emit(Severity::info, "train", "step 1");
  ASSERT_TRUE(previous);
  previous({Severity::info, "test", "the returned sink still works"});

  set_event_sink({});
  emit(Severity::warning, "nobody", "dropped");

  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].severity, Severity::warning);
  EXPECT_EQ(first[0].source, "moe");
  EXPECT_EQ(first[0].text, "expert 3 received no token");
  EXPECT_EQ(first[1].source, "test");
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].severity, Severity::info);
  EXPECT_EQ(second[0].text, "step 1");
}

}  // namespace
}  // namespace ffn
