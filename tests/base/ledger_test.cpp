#include "ffn/base/ledger.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <string>

namespace ffn {
namespace {

TEST(Ledger, RoundsToTheAlignment) {
  EXPECT_EQ(charged_bytes(0), 0);
  EXPECT_EQ(charged_bytes(1), 64);
  EXPECT_EQ(charged_bytes(63), 64);
  EXPECT_EQ(charged_bytes(64), 64);
  EXPECT_EQ(charged_bytes(65), 128);
}

TEST(Ledger, CountsLiveAndPeakByTag) {
  Ledger ledger;
  ledger.charge(Tag::parameters, 100);   // 128
  ledger.charge(Tag::activations, 1);    // 64
  ledger.charge(Tag::activations, 200);  // 256: total 448, the peak
  EXPECT_EQ(ledger.live_bytes(), 448);
  ledger.release(Tag::activations, 200);
  ledger.charge(Tag::scratch, 64);  // total 256
  EXPECT_EQ(ledger.live_bytes(Tag::parameters), 128);
  EXPECT_EQ(ledger.live_bytes(Tag::activations), 64);
  EXPECT_EQ(ledger.live_bytes(Tag::scratch), 64);
  EXPECT_EQ(ledger.live_bytes(), 256);
  EXPECT_EQ(ledger.peak_bytes(), 448);
  EXPECT_EQ(ledger.peak_bytes(Tag::activations), 320);
  EXPECT_EQ(ledger.peak_bytes(Tag::scratch), 64);
  const auto& at_peak = ledger.bytes_at_peak();
  EXPECT_EQ(std::accumulate(at_peak.begin(), at_peak.end(), std::int64_t{0}), 448);
  EXPECT_EQ(at_peak[static_cast<std::size_t>(Tag::activations)], 320);
  EXPECT_EQ(at_peak[static_cast<std::size_t>(Tag::scratch)], 0) << "charged after the peak";
}

TEST(Ledger, PeakEventsGrowOnlyWithTheTotalPeak) {
  Ledger ledger;
  ledger.charge(Tag::data, 640);
  const auto events = ledger.peak_events();
  ledger.release(Tag::data, 640);
  ledger.charge(Tag::state, 640);  // the same total, a new peak of its own tag only
  EXPECT_EQ(ledger.peak_events(), events);
  ledger.charge(Tag::state, 0);
  EXPECT_EQ(ledger.peak_events(), events) << "an empty request is free";
  ledger.charge(Tag::state, 1);
  EXPECT_EQ(ledger.peak_events(), events + 1);
}

TEST(Ledger, ResetPeakStartsFromWhatIsLive) {
  Ledger ledger;
  ledger.charge(Tag::gradients, 1024);
  ledger.charge(Tag::optimizer, 64);
  ledger.release(Tag::gradients, 1024);
  ledger.reset_peak();
  EXPECT_EQ(ledger.peak_bytes(), 64);
  EXPECT_EQ(ledger.peak_bytes(Tag::gradients), 0);
  EXPECT_EQ(ledger.bytes_at_peak()[static_cast<std::size_t>(Tag::optimizer)], 64);
  ledger.release(Tag::optimizer, 64);
  EXPECT_EQ(ledger.live_bytes(), 0);
}

TEST(Ledger, TagNamesAreDistinct) {
  std::set<std::string> names;
  for (int i = 0; i < kTags; ++i) names.emplace(to_string(static_cast<Tag>(i)));
  EXPECT_EQ(names, (std::set<std::string>{"activations", "data", "gradients", "optimizer",
                                          "parameters", "prepared", "scratch", "state"}));
}

}  // namespace
}  // namespace ffn
