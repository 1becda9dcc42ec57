// The cases of a design: designs_test.cpp checks each one; <design>_test.cpp lists them.
//
//   INSTANTIATE_TEST_SUITE_P(mlp, Designs,
//                            testing::ValuesIn(design_cases(Tokens::plain, {"mlp(gelu)", …})));
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/registry.h"

namespace ffn::test {

inline constexpr std::int64_t kWidth = 5;

// What the rows of a case are: tokens that a design looks at one by one, a grid of 2 × 3 behind a
// class token, or text, where no token may see a later one.
enum class Tokens { plain, grid, causal };

struct DesignCase {
  std::string text;
  Tokens kind = Tokens::plain;
  bool bias = true;
  // An f32 output may be off by units·2^-24 of the largest output: 200 for two products of at most
  // 40 terms each and one function between them.
  double units = 200;
  std::int64_t sequences = 2;

  std::int64_t tokens() const { return 7; }
  std::int64_t rows() const { return sequences * tokens(); }
  FeedForwardSite site() const {
    FeedForwardSite made;
    made.width = kWidth;
    made.tokens = tokens();
    made.bias = bias;
    if (kind == Tokens::grid) made.grid = {2, 3, 1};
    made.causal = kind == Tokens::causal;
    return made;
  }
  friend std::ostream& operator<<(std::ostream& out, const DesignCase& c) { return out << c.text; }
};

class Designs : public testing::TestWithParam<DesignCase> {};

// Each text with and without biases. Use activations without a kink: complex steps are exact then.
std::vector<DesignCase> design_cases(Tokens kind, std::initializer_list<const char*> texts,
                                     double units = 200);

// Names of designs that design_cases() was called for.
const std::vector<std::string>& designs_with_cases();

// `count` normal numbers of standard deviation `scale`, f32 numbers, of a stream of that name.
std::vector<double> numbers(const char* name, std::int64_t count, double scale);

// The hidden width that a design has in a model of width D.
std::int64_t hidden_width(std::string_view text, std::int64_t width);

// Throws unless the text is refused with an Error{config} whose message has `says` in it.
void expect_refused(std::string_view text, std::string_view says);
// The same for building a text that may be read, in a site where it cannot stand.
void expect_refused(std::string_view text, const FeedForwardSite& site, std::string_view says);

}  // namespace ffn::test
