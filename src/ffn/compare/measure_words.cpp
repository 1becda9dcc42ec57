#include "ffn/compare/measure_words.h"

#include <cctype>

#include "ffn/report/axis_ticks.h"

namespace ffn::inline v0 {
namespace {

MeasureWords accuracy_words() {
  return {.name = "accuracy",
          .key = "accuracy",
          .style = NumberStyle::percent,
          .sign = " %",
          .unit = "points",
          .unit_key = "points",
          .units = 100,
          .decimals = 2,
          .verdict_decimals = 1,
          .item = "picture",
          .items_key = "images",
          .example = "picture",
          .batch_row = "picture",
          .shows_example_error = false,
          .scored = " of the test pictures right",
          .verb = "scored",
          .by = "by the test pictures they get right",
          .score = "score",
          .margin = "points of test accuracy",
          .meaning =
              "The share of test pictures named correctly. The test pictures were used for "
              "nothing else and read once. One point is 1 %.",
          .caption =
              "Test accuracy: the share of pictures never used in training that the model names "
              "correctly. Further right is better",
          .validation =
              "The share right on pictures held out of training to watch progress; higher is "
              "better. A curve that still rises at the end says that more training would "
              "help.",
          .one_quality = "an accuracy",
          .gap = "Train − test",
          .best_design = "the most accurate design",
          .is_best = "is the most accurate",
          .is_not_worse = "is at least as accurate",
          .better_takes = "more accuracy takes"};
}

MeasureWords bits_words() {
  return {.name = "bits per byte",
          .key = "bits_per_byte",
          .style = NumberStyle::plain,
          .sign = "",
          .unit = "bits per byte",
          .unit_key = "bits_per_byte",
          .units = 1,
          .decimals = 4,
          .verdict_decimals = 3,
          .item = "byte",
          .items_key = "bytes",
          .example = "document",
          .batch_row = "sequence",
          .shows_example_error = true,
          .scored = " bits per byte on the test documents",
          .verb = "needed",
          .by = "by their bits per byte on the test documents",
          .score = "bits per byte",
          .margin = "bits per byte on the test documents",
          .meaning =
              "How many bits the model needs to say which byte comes next, on average over "
              "the test documents: fewer is better, and 8 would be needed without any "
              "knowledge. The test documents were used for nothing else and read once.",
          .caption =
              "Test bits per byte: how many bits the model needs for the next byte of "
              "documents never used in training. Further left is better",
          .validation =
              "Bits per byte of documents held out of training to watch progress; lower "
              "is better. A curve that still falls at the end says that more training "
              "would help.",
          .one_quality = "a number of bits",
          .gap = "Test − train",
          .best_design = "the design with the fewest bits per byte",
          .is_best = "needs the fewest bits per byte",
          .is_not_worse = "needs no more bits per byte",
          .better_takes = "fewer bits per byte take"};
}

// U+2212, as wide as a plus sign.
std::string with_minus(std::string text) {
  return text.starts_with('-') ? "−" + text.substr(1) : text;
}

}  // namespace

const MeasureWords& words_of(Measure measure) {
  static const MeasureWords accuracy = accuracy_words(), bits = bits_words();
  return measure == Measure::accuracy ? accuracy : bits;
}

std::string quality_text(double quality, Measure measure) {
  return quality_text(quality, measure, words_of(measure).decimals);
}

std::string quality_text(double quality, Measure measure, int decimals) {
  return difference_text(quality, measure, decimals) + words_of(measure).sign;
}

std::string bare_quality_text(double quality, Measure measure) {
  return difference_text(quality, measure);
}

std::string difference_text(double difference, Measure measure) {
  return difference_text(difference, measure, words_of(measure).decimals);
}

std::string difference_text(double difference, Measure measure, int decimals) {
  return with_minus(fixed_text(words_of(measure).units * difference, decimals));
}

std::string signed_difference_text(double difference, Measure measure) {
  const std::string text = difference_text(difference, measure);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return zero || text.starts_with("−") ? text : "+" + text;
}

std::string plural(const std::string& noun) { return noun + "s"; }

std::string capitalized(const std::string& text) {
  std::string out = text;
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

}  // namespace ffn::inline v0
