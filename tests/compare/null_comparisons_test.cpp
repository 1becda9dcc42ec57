// How often judge() is wrong when there is nothing to find, and how often it finds what there is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "compare/made_up_results.h"
#include "ffn/compare/judge.h"

namespace ffn {
namespace {

// The 99 % range of a count of 1,000 at a chance of 5 %: P(X ≤ 32) = 0.0037 and P(X ≥ 70) = 0.0035.
constexpr int kComparisons = 1000, kFewest = 33, kMost = 69;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
  // Of deviation 1: twelve uniforms, so close to normal that the t test cannot tell.
  double bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

 private:
  std::mt19937_64 engine_;  // the same numbers with every standard library; distributions are not
};

// Designs over seeds. Every picture has its own chance of being got right, the same for every
// design; every seed has its own luck, shared by the designs (the same batches), and every run its
// own. `advantage` is added to the chances of design 0: its true difference to all others.
std::vector<DesignResult> designs_over_seeds(Chance& chance, std::size_t designs, std::size_t seeds,
                                             std::size_t pictures, double advantage = 0,
                                             double run_noise = 0.005) {
  std::vector<double> picture(pictures), seed_luck(seeds);
  for (double& p : picture) p = 0.5 + 0.4 * chance.uniform();
  for (double& luck : seed_luck) luck = 0.01 * chance.bell();
  std::vector<DesignResult> made;
  for (std::size_t d = 0; d < designs; ++d) {
    std::vector<Answers> answers;
    for (std::size_t s = 0; s < seeds; ++s) {
      const double luck = seed_luck[s] + run_noise * chance.bell() + (d == 0 ? advantage : 0);
      Answers run(pictures);
      for (std::size_t i = 0; i < pictures; ++i) run[i] = chance.uniform() < picture[i] + luck;
      answers.push_back(run);
    }
    made.push_back(design_of_answers("design " + std::to_string(d), answers));
  }
  return made;
}

// Fixed trained models and pictures drawn from a population. Every picture has a difficulty; each
// model has, for three pictures in ten, a view of its own of it. All models have the same chance
// over the population, 8/9, and different chances on most single pictures.
std::vector<DesignResult> designs_over_examples(Chance& chance, std::size_t designs,
                                                std::size_t seeds, std::size_t pictures,
                                                double advantage = 0) {
  const auto skill = [](double ease) { return std::pow(ease, 1.0 / 8); };
  std::vector<std::vector<Answers>> answers(designs,
                                            std::vector<Answers>(seeds, Answers(pictures)));
  for (std::size_t i = 0; i < pictures; ++i) {
    const double shared = skill(chance.uniform());
    for (std::size_t d = 0; d < designs; ++d)
      for (std::size_t s = 0; s < seeds; ++s) {
        const double p = chance.uniform() < 0.3 ? skill(chance.uniform()) : shared;
        answers[d][s][i] = chance.uniform() < p + (d == 0 ? advantage : 0) * (1 - p) * 9;
      }
  }
  std::vector<DesignResult> made;
  for (std::size_t d = 0; d < designs; ++d)
    made.push_back(design_of_answers("design " + std::to_string(d), answers[d]));
  return made;
}

// Fixed trained models and documents drawn from a population: lengths from 60 to 4,000 bytes with
// a long tail, a difficulty of each document, and each model's own view of it. Over the population
// all need the same bits per byte, but design 0 needs `advantage` bits fewer.
std::vector<DesignResult> designs_over_documents(Chance& chance, std::size_t designs,
                                                 std::size_t seeds, std::size_t documents,
                                                 double advantage = 0) {
  std::vector<std::int32_t> bytes(documents);
  std::vector<std::vector<std::vector<double>>> bits(
      designs, std::vector<std::vector<double>>(seeds, std::vector<double>(documents)));
  for (std::size_t i = 0; i < documents; ++i) {
    const double length = std::clamp(std::exp(6 + 0.8 * chance.bell()), 60.0, 4000.0);
    bytes[i] = static_cast<std::int32_t>(length);
    const double difficulty = 2 + 0.3 * chance.bell();
    for (std::size_t d = 0; d < designs; ++d)
      for (std::size_t s = 0; s < seeds; ++s)
        bits[d][s][i] = difficulty + 0.1 * chance.bell() - (d == 0 ? advantage : 0);
  }
  std::vector<DesignResult> made;
  for (std::size_t d = 0; d < designs; ++d)
    made.push_back(design_of_documents("design " + std::to_string(d), bits[d], bytes));
  return made;
}

// The same trained anew with each seed, whose luck moves all documents.
std::vector<DesignResult> text_over_seeds(Chance& chance, std::size_t designs, std::size_t seeds,
                                          double advantage = 0) {
  std::vector<double> seed_luck(seeds);
  for (double& luck : seed_luck) luck = 0.02 * chance.bell();
  std::vector<DesignResult> made;
  for (std::size_t d = 0; d < designs; ++d) {
    std::vector<double> means;
    for (const double luck : seed_luck)
      means.push_back(1.9 + luck + 0.005 * chance.bell() - (d == 0 ? advantage : 0));
    made.push_back(design_of_bits("design " + std::to_string(d), means));
  }
  return made;
}

struct Counts {
  int low_p = 0;        // of the first pair, p ≤ 0.05
  int any_better = 0;   // any pair called better
  int outside = 0;      // the truth, `advantage`, outside the first pair's 95 % interval
  int first_leads = 0;  // design 0 the only leader
  int all_equivalent = 0;
};

template <class Make>
Counts count(std::uint64_t seed, int comparisons, const Make& make, double truth = 0,
             double margin = 0, Measure measure = Measure::accuracy) {
  Chance chance(seed);
  Counts counts;
  for (int i = 0; i < comparisons; ++i) {
    ComparisonResult result;
    result.designs = make(chance);
    result.margin = margin;
    result.measure = measure;
    judge(result);
    const auto& pairs = result.pairs;
    const auto is = [](PairOutcome a, PairOutcome b) {
      return [=](const PairResult& pair) { return pair.outcome == a || pair.outcome == b; };
    };
    counts.low_p += pairs[0].p <= 0.05;
    counts.outside += truth < pairs[0].interval.low || truth > pairs[0].interval.high;
    counts.any_better += std::any_of(pairs.begin(), pairs.end(),
                                     is(PairOutcome::first_better, PairOutcome::second_better));
    counts.first_leads += result.verdict.leaders == std::vector<std::size_t>{0};
    counts.all_equivalent += std::all_of(pairs.begin(), pairs.end(),
                                         is(PairOutcome::equivalent, PairOutcome::equivalent));
  }
  const auto record = [&](const std::string& what, int found) {
    ::testing::Test::RecordProperty(what + "_" + std::to_string(seed), found);
  };
  record("low_p", counts.low_p);
  record("any_better", counts.any_better);
  record("outside", counts.outside);
  record("first_leads", counts.first_leads);
  record("all_equivalent", counts.all_equivalent);
  return counts;
}

void expect_five_percent(int found) {
  EXPECT_GE(found, kFewest);
  EXPECT_LE(found, kMost);
}

TEST(NullComparisons, OnePairOverSeeds) {
  for (const std::size_t seeds : {3u, 5u}) {
    const Counts counts = count(11 + seeds, kComparisons, [=](Chance& chance) {
      return designs_over_seeds(chance, 2, seeds, 1000);
    });
    expect_five_percent(counts.low_p);
    expect_five_percent(counts.outside);
  }
}

TEST(NullComparisons, FamilyOverSeeds) {
  for (const std::size_t seeds : {3u, 5u}) {
    const Counts counts = count(21 + seeds, kComparisons, [=](Chance& chance) {
      return designs_over_seeds(chance, 4, seeds, 500);
    });
    EXPECT_LE(counts.any_better, kMost) << seeds;
    EXPECT_GT(counts.any_better, 0) << "Holm is cautious, not mute";
  }
}

TEST(NullComparisons, OnePairOverExamples) {
  for (const std::size_t seeds : {1u, 2u}) {
    const Counts counts = count(31 + seeds, kComparisons, [=](Chance& chance) {
      return designs_over_examples(chance, 2, seeds, 2000);
    });
    expect_five_percent(counts.low_p);
    expect_five_percent(counts.outside);
  }
}

TEST(NullComparisons, FamilyOverExamples) {
  const Counts counts = count(
      41, kComparisons, [](Chance& chance) { return designs_over_examples(chance, 3, 2, 1000); });
  EXPECT_LE(counts.any_better, kMost);
  EXPECT_GT(counts.any_better, 0) << "Holm is cautious, not mute";
}

// With 120 documents of such lengths, worth about 60 equal ones, it is 6.7 to 7.0 %: the bootstrap
// is for hundreds of documents.
TEST(NullComparisons, BitsOfDocuments) {
  for (const std::size_t seeds : {1u, 2u}) {
    const Counts counts = count(
        81 + seeds, kComparisons,
        [=](Chance& chance) { return designs_over_documents(chance, 2, seeds, 300); }, 0, 0,
        Measure::bits_per_byte);
    expect_five_percent(counts.low_p);
    expect_five_percent(counts.outside);
  }
}

TEST(NullComparisons, BitsOverSeeds) {
  for (const std::size_t seeds : {3u, 5u}) {
    const Counts pair = count(
        91 + seeds, kComparisons, [=](Chance& chance) { return text_over_seeds(chance, 2, seeds); },
        0, 0, Measure::bits_per_byte);
    expect_five_percent(pair.low_p);
    expect_five_percent(pair.outside);
    const Counts family = count(
        106 + seeds, kComparisons,
        [=](Chance& chance) { return text_over_seeds(chance, 4, seeds); }, 0, 0,
        Measure::bits_per_byte);
    EXPECT_LE(family.any_better, kMost) << seeds;
    EXPECT_GT(family.any_better, 0) << "Holm is cautious, not mute";
  }
}

// Over five seeds a difference deviates by 0.005 · √2 and its mean by 0.0032: 0.02 bits are six of
// them. Over 500 documents, whose weights make them worth about half as many, it deviates by
// 0.1 · √2 / √250 = 0.0089 with one seed, 0.0063 with two: 0.03 bits are nearly five of them.
TEST(Power, FewerBitsAreFound) {
  const auto measure = Measure::bits_per_byte;
  const Counts over_seeds = count(
      101, 200, [](Chance& chance) { return text_over_seeds(chance, 3, 5, 0.02); }, -0.02, 0,
      measure);
  EXPECT_GE(over_seeds.first_leads, 180);
  EXPECT_LE(over_seeds.outside, 22);
  const Counts over_documents = count(
      102, 60, [](Chance& chance) { return designs_over_documents(chance, 3, 2, 500, 0.03); },
      -0.03, 0, measure);
  EXPECT_GE(over_documents.first_leads, 54);
  EXPECT_LE(over_documents.outside, 10);  // P(X ≥ 11) = 0.0003 of 60 at 5 %
  const Counts more_bits = count(
      103, 50, [](Chance& chance) { return text_over_seeds(chance, 2, 5, -0.02); }, 0.02, 0,
      measure);
  EXPECT_EQ(more_bits.first_leads, 0);
}

// Three points over five seeds of 4000 pictures: a seed's difference has a deviation of about
// √(2 · 0.2/4000 + 2 · 0.005²) = 1.2 points, its mean one of 0.55.
TEST(Power, ThreePointsAreFound) {
  const Counts over_seeds = count(
      51, 200, [](Chance& chance) { return designs_over_seeds(chance, 2, 5, 4000, 0.03); }, 0.03);
  EXPECT_GE(over_seeds.first_leads, 180);
  EXPECT_LE(over_seeds.outside, 22);  // P(X ≥ 23) = 0.0002 of 200 at 5 %
  const Counts over_examples = count(
      52, 200, [](Chance& chance) { return designs_over_examples(chance, 3, 2, 4000, 0.03); },
      0.03);
  EXPECT_GE(over_examples.first_leads, 190);
  EXPECT_LE(over_examples.outside, 22);
}

TEST(Power, EquivalenceIsFoundWithinTheMarginAndNotBeyond) {
  const auto equal = count(
      61, 100, [](Chance& chance) { return designs_over_seeds(chance, 2, 5, 10000, 0, 0.001); }, 0,
      0.02);
  EXPECT_GE(equal.all_equivalent, 90);
  const auto beyond = count(
      62, 100, [](Chance& chance) { return designs_over_seeds(chance, 2, 5, 2000, 0.03, 0.001); },
      0.03, 0.02);
  EXPECT_LE(beyond.all_equivalent, 5);
  const auto equal_examples = count(
      63, 100, [](Chance& chance) { return designs_over_examples(chance, 2, 2, 4000); }, 0, 0.02);
  EXPECT_GE(equal_examples.all_equivalent, 90);
  const auto beyond_examples = count(
      64, 100, [](Chance& chance) { return designs_over_examples(chance, 2, 2, 4000, 0.03); }, 0.03,
      0.02);
  EXPECT_LE(beyond_examples.all_equivalent, 5);
}

// A difference of exactly the margin is called equivalent in one comparison of twenty.
TEST(NullComparisons, EquivalenceOnTheMargin) {
  Chance chance(71);
  int found = 0, found_examples = 0;
  for (int i = 0; i < kComparisons; ++i) {
    std::vector<double> differences(5);
    for (double& difference : differences) difference = 0.02 + 0.003 * chance.bell();
    found += equivalence_p(differences, 0.02) <= 0.05;
    ComparisonResult result;
    result.designs = designs_over_examples(chance, 2, 1, 2000, 0.03);
    result.margin = 0.03;
    judge(result);
    found_examples += result.pairs[0].equivalence_p <= 0.05;
  }
  ::testing::Test::RecordProperty("found", found);
  ::testing::Test::RecordProperty("found_examples", found_examples);
  expect_five_percent(found);
  expect_five_percent(found_examples);
}

}  // namespace
}  // namespace ffn
