// Paired comparisons of two designs: over seeds, or over test examples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ffn::inline v0 {

struct Interval {
  double low = 0, high = 0;
};

struct SeedTest {
  double mean = 0;
  Interval interval;
  double p = 1;  // two-sided, of "the mean over all seeds is 0"
};

// Student's paired t test of n differences, one per seed: t = mean / (s / √n) with n − 1 degrees of
// freedom, s the sample deviation; the interval is mean ± quantile · s / √n. It takes the
// differences as independent draws of a normal distribution, so it speaks of other seeds, on the
// same training and test pictures. When all differences are equal, s = 0 and the interval is a
// point; p is the limit of s → 0: 0, or 1 when the mean is 0 too, which is no evidence at all.
// Errors: config when n < 2, a difference is not finite, or confidence is outside (0, 1).
// Source: Student, "The probable error of a mean", Biometrika 1908.
SeedTest paired_t_test(std::span<const double> differences, double confidence = 0.95);

struct BootstrapOptions {
  std::int64_t resamples = 4000;
  std::uint64_t seed = 0;
  double confidence = 0.95;
};

struct ExampleTest {
  double mean = 0;
  Interval interval;
  double p = 1;               // two-sided, of "the mean over all such examples is 0"
  double standard_error = 0;  // the deviation of the resampled means
};

// Bootstrap of n differences, one per test example: a resample draws n of them with replacement.
// Each distinct value's count is drawn instead (a multinomial, as a chain of exact binomials), so
// the time is resamples · distinct values, whatever n: right or wrong over few seeds has few.
//   interval  percentiles of the resampled means m*
//   p         (1 + #{|m* − mean| ≥ |mean|}) / (1 + resamples): resampled around a mean of 0
// Random numbers: stream "bootstrap" of the seed, counter (resample, value). Negated differences
// give the negated result and the same p, bit for bit, unless the mean is 0. It takes the examples
// as independent draws, so it speaks of other test examples, for the same trained models; meant for
// hundreds of examples or more.
// Errors: config when n < 2, n ≥ 2^31, a difference is not finite, resamples < 1, or confidence is
// outside (0, 1).
// Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 16; the
// added ones as in Davison and Hinkley, "Bootstrap Methods and their Application", 1997,
// section 4.2.
ExampleTest paired_bootstrap(std::span<const double> per_example,
                             const BootstrapOptions& options = {});

// The same of examples that weigh differently, such as documents of different lengths: mean and m*
// are Σ w·d / Σ w over the examples and over the n drawn ones. Equal weights are the test above,
// bit for bit. Otherwise examples are drawn one by one, in resamples · n time, from the words of
// the stream's counter (resample, 4 examples); a word picks an example with a chance that is off by
// less than n / 2^32. Takes documents as independent draws, lengths included.
// Errors: config also when the two differ in length, or a weight is not finite and positive.
ExampleTest paired_bootstrap(std::span<const double> per_example, std::span<const double> weights,
                             const BootstrapOptions& options = {});

// Holm's step-down adjustment: with p sorted upwards, the k-th of m becomes the largest of
// min(1, (m − j + 1) · p_j) over j ≤ k. Rejecting where the result is at most α keeps the chance of
// any false rejection at most α, however the tests depend on each other.
// Errors: config when a p is outside [0, 1].
// Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 1979.
std::vector<double> holm(std::span<const double> p);

// Two one-sided t tests over seeds: the larger p of "mean ≤ −margin" and "mean ≥ margin". At most
// 0.05 exactly when the 90 % interval of paired_t_test lies inside (−margin, margin). When all
// differences are equal: 0 inside the margin, 1 otherwise.
// Errors: config as paired_t_test's, or when margin is not a positive number.
// Source: Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987.
double equivalence_p(std::span<const double> differences, double margin);

// The same over test examples, from the mean and standard error of the bootstrap with normal tails:
// tails of 4000 resampled means themselves would be too coarse near 0. Errors: config when margin
// is not a positive number.
double equivalence_p(const ExampleTest& test, double margin);

}  // namespace ffn::inline v0
