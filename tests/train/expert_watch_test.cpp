// Taps fired by hand, as layers of experts fire theirs.
#include "ffn/train/expert_watch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ffn/ops/activation.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

using Numbers = std::vector<double>;
using Whole = std::vector<std::int32_t>;

const std::vector<std::string> kChoosing{"router", "choice", "dispatch", "experts.pre", "out"};
const std::vector<std::string> kExpertsChoose{"router", "dispatch", "out"};
const std::vector<std::string> kBesideMaps{"up.router", "down.router", "neuron"};

struct Taps {
  explicit Taps(MemoryMode memory = MemoryMode::store) : ex(cpu_device(serial_pool()), memory) {}

  Tensor tensor(std::int64_t rows, std::int64_t cols, DType dtype, const Numbers& values) {
    const Tensor made = ex.allocate_persistent({{rows, cols}, dtype, Role::activation}, Tag::data);
    set_host_values(made, values);
    return made;
  }
  Tensor whole(const Whole& values, std::int64_t cols = 1) {
    const Tensor made = ex.allocate_persistent(
        {{static_cast<std::int64_t>(values.size()) / cols, cols}, DType::i32, Role::activation},
        Tag::data);
    std::ranges::copy(values, host_span<std::int32_t>(made).begin());
    return made;
  }
  void logits(std::int64_t experts, const Numbers& values, const char* name = "router") {
    ex.tap(name, ex.constant(tensor(static_cast<std::int64_t>(values.size()) / experts, experts,
                                    DType::f32, values)));
  }
  void choice(std::int64_t top, const Whole& values) {
    ex.tap("choice", ex.constant(whole(values, top)));
  }
  void dispatch(const Whole& values) { ex.tap("dispatch", ex.constant(whole(values))); }

  Executor ex;
};

TEST(ExpertWatch, CountsChoicesAndWhatWasNotServed) {
  Taps taps;
  ExpertWatch watch(taps.ex, kChoosing);
  EXPECT_TRUE(watch.has_routers());
  for (int pass = 0; pass < 2; ++pass) {
    watch.begin_pass();
    // Layer 0: three tokens, two of three experts each; expert 0 serves two, one of them is empty.
    taps.logits(3, Numbers(9, 0.5));
    taps.choice(2, {0, 1, 0, 1, 0, 2});
    taps.dispatch({0, 1, 0, 1, 2, -1});
    // Layer 1: all to one expert, which has room for all.
    taps.logits(3, {40, 0, 0, 40, 0, 0, 40, 0, 0});
    taps.choice(2, {0, 1, 0, 1, 0, 1});
    taps.dispatch({0, 1, 2, 0, 1, 2});
  }
  const std::vector<RouterHealth> found = watch.take();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].place.layer, 0);
  EXPECT_EQ(found[1].place.layer, 1);
  EXPECT_EQ(found[0].top, 2);
  EXPECT_EQ(found[0].health.load, (Numbers{3.0 / 6, 2.0 / 6, 1.0 / 6}));
  EXPECT_EQ(found[0].health.dropped_share, 1.0 / 6);
  EXPECT_NEAR(found[0].health.router_entropy, 1, 1e-6);
  EXPECT_EQ(found[1].health.load, (Numbers{0.5, 0.5, 0}));
  EXPECT_EQ(found[1].health.dropped_share, 0);
  EXPECT_EQ(found[1].health.dead_experts, 1);
  EXPECT_NEAR(found[1].health.router_entropy, 0, 1e-6);
  EXPECT_TRUE(watch.take().empty()) << "it begins anew";
}

// Two sequences of two rows; the second, or single rows, only fill the batch up.
TEST(ExpertWatch, RowsThatFillABatchUpDoNotCount) {
  Taps taps;
  ExpertWatch watch(taps.ex, kChoosing);
  const auto pass = [&](const Whole& labels) {
    watch.begin_pass(taps.whole(labels));
    watch.keep_choices(10);
    taps.logits(2, {0, 0, 0, 0, 90, 0, 90, 0});
    taps.choice(1, {0, 1, 0, 0});
    taps.dispatch({0, 2, 1, -1});
    return watch.take();
  };
  const std::vector<RouterHealth> sequences = pass({7, -1});
  EXPECT_EQ(sequences[0].health.load, (Numbers{0.5, 0.5}));
  EXPECT_EQ(sequences[0].health.dropped_share, 0);
  EXPECT_NEAR(sequences[0].health.router_entropy, 1, 1e-6);
  EXPECT_EQ(sequences[0].first_choices, (Whole{0, 1}));
  const std::vector<RouterHealth> rows = pass({-1, 7, 7, 7});
  EXPECT_EQ(rows[0].health.load, (Numbers{2.0 / 3, 1.0 / 3}));
  EXPECT_EQ(rows[0].health.dropped_share, 1.0 / 3);
  EXPECT_EQ(rows[0].first_choices, (Whole{1, 0, 0}));
  EXPECT_TRUE(pass({-1, -1}).empty());
  watch.begin_pass(taps.whole({1, 1, 1}));
  EXPECT_THROW(taps.logits(2, Numbers(8, 0.0)), Error);
}

// Two experts with two tokens each: token 1 has both, token 3 none.
TEST(ExpertWatch, TokensThatNoExpertTookAreDropped) {
  Taps taps;
  ExpertWatch watch(taps.ex, kExpertsChoose);
  watch.begin_pass();
  watch.keep_choices(3);
  taps.logits(2, {2, 1, 3, 3, 0, 4, 1, 0});
  taps.dispatch({0, 1, 1, 2});
  const std::vector<RouterHealth> found = watch.take();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].health.load, (Numbers{0.5, 0.5}));
  EXPECT_EQ(found[0].health.dropped_share, 0.25);
  EXPECT_EQ(found[0].first_choices, (Whole{0, 0, 1})) << "what a token likes best";
  EXPECT_FALSE(is_collapsed(found[0]));
}

TEST(ExpertWatch, WeightsOfAllExpertsAreALoad) {
  Taps taps;
  ExpertWatch watch(taps.ex, kBesideMaps);
  watch.begin_pass();
  watch.keep_choices(1);
  for (int layer = 0; layer < 2; ++layer) {
    taps.logits(2, {0.25, 0.75, 0.75, 0.25}, "up.router");
    taps.logits(2, {1, 0, 1, 0}, "down.router");
  }
  const std::vector<RouterHealth> found = watch.take();
  ASSERT_EQ(found.size(), 4u);
  for (const std::size_t layer : {0U, 1U}) {
    const RouterHealth &up = found[2 * layer], &down = found[2 * layer + 1];
    EXPECT_EQ(up.place, (RouterPlace{static_cast<std::int64_t>(layer), "up"}));
    EXPECT_EQ(down.place, (RouterPlace{static_cast<std::int64_t>(layer), "down"}));
    EXPECT_NEAR(up.health.effective_experts, 2, 1e-12);
    EXPECT_NEAR(up.health.router_entropy, 2 - 0.75 * std::log2(3.0), 1e-6);
    EXPECT_EQ(up.first_choices, Whole{1});
    EXPECT_EQ(down.health.effective_experts, 1);
    EXPECT_EQ(down.health.router_entropy, 0);
    EXPECT_TRUE(is_collapsed(down));
  }
}

TEST(ExpertWatch, KeepsFirstChoicesAcrossPasses) {
  Taps taps;
  ExpertWatch watch(taps.ex, kChoosing);
  const auto pass = [&] {
    watch.begin_pass();
    taps.logits(4, Numbers(8, 0.0));
    taps.choice(2, {3, 1, 2, 0});
    taps.dispatch({1, 0, 1, 0});
  };
  pass();
  watch.keep_choices(5);
  for (int i = 0; i < 4; ++i) pass();
  EXPECT_EQ(watch.take()[0].first_choices, (Whole{3, 2, 3, 2, 3}));
  pass();
  EXPECT_TRUE(watch.take()[0].first_choices.empty()) << "asked for once";
}

TEST(ExpertWatch, AModelWithoutRoutersIsLeftAlone) {
  Taps taps;
  const std::vector<std::string> dense{"pre", "act", "neuron", "out", "norouter"};
  const ExpertWatch watch(taps.ex, dense);
  EXPECT_FALSE(watch.has_routers());
  for (const std::string& name : dense) EXPECT_FALSE(taps.ex.tapped(name));
  EXPECT_FALSE(taps.ex.tapped("router"));
}

TEST(ExpertWatch, TakesItsTapsAway) {
  Taps taps;
  {
    const ExpertWatch watch(taps.ex, kChoosing);
    for (const char* name : {"router", "choice", "dispatch"}) EXPECT_TRUE(taps.ex.tapped(name));
    EXPECT_FALSE(taps.ex.tapped("out"));
  }
  for (const char* name : {"router", "choice", "dispatch"}) EXPECT_FALSE(taps.ex.tapped(name));
}

TEST(ExpertWatch, ADryDeviceHasNothingToCount) {
  Executor ex(dry_device(cpu_device(serial_pool())));
  ExpertWatch watch(ex, kChoosing);
  watch.begin_pass(ex.allocate({{4}, DType::i32, Role::activation}));
  ex.tap("router", ex.constant(ex.allocate({{4, 2}, DType::f32, Role::activation})));
  ex.tap("choice", ex.constant(ex.allocate({{4, 1}, DType::i32, Role::activation})));
  ex.tap("dispatch", ex.constant(ex.allocate({{4}, DType::i32, Role::activation})));
  EXPECT_TRUE(watch.take().empty());
  EXPECT_TRUE(watch.loads().empty());
}

// The body of a segment runs twice, its rows are counted once.
TEST(ExpertWatch, AReplayIsNotCountedAgain) {
  Taps taps(MemoryMode::recompute);
  ExpertWatch watch(taps.ex, kBesideMaps);
  const Tensor x = taps.tensor(3, 2, DType::f32, {1, 2, 3, 4, 5, 6});
  int runs = 0;
  {
    const StepScope step(taps.ex);
    watch.begin_pass();
    const Value leaf = taps.ex.leaf(x);
    const Values y = taps.ex.segment({leaf}, [&](Executor& ex, std::span<const Value> in) {
      ++runs;
      return Values{ex.tap("up.router", activation(ex, in[0], Activation::sigmoid))};
    });
    taps.ex.backward(y[0], x);
  }
  EXPECT_EQ(runs, 2);
  const std::vector<RouterLoad> loads = watch.loads();
  ASSERT_EQ(loads.size(), 1u);
  EXPECT_EQ(loads[0].load.tokens, 3);
}

TEST(ExpertWatch, GoesOnFromACheckpoint) {
  Taps first, second;
  ExpertWatch whole(first.ex, kBesideMaps), resumed(second.ex, kBesideMaps);
  const auto pass = [](Taps& taps, ExpertWatch& watch, double share) {
    watch.begin_pass();
    for (const char* name : {"up.router", "down.router"})
      taps.logits(2, {share, 1 - share, 0.3, 0.7}, name);
  };
  pass(first, whole, 0.1);
  EXPECT_TRUE(whole.first_collapse({0, "up"}));
  EXPECT_FALSE(whole.first_collapse({0, "up"}));
  EXPECT_FALSE(whole.first_collapse({1, "up"})) << "there is none";
  resumed.restore(whole.loads());
  EXPECT_EQ(resumed.loads(), whole.loads());
  EXPECT_FALSE(resumed.first_collapse({0, "up"})) << "told before";
  EXPECT_TRUE(resumed.first_collapse({0, "down"}));
  pass(first, whole, 0.7);
  pass(second, resumed, 0.7);
  const auto a = whole.take(), b = resumed.take();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].health.load, b[i].health.load);
    EXPECT_EQ(a[i].health.router_entropy, b[i].health.router_entropy);
  }
}

}  // namespace
}  // namespace ffn
