// What is measured, in words and numbers: the one place that tells pictures from documents.
#pragma once

#include <string>

#include "ffn/report/table.h"
#include "ffn/train/measure.h"

namespace ffn::inline v0 {

struct MeasureWords {
  std::string name;  // "accuracy", "bits per byte"
  std::string key;   // in names of columns and files: "accuracy", "bits_per_byte"
  NumberStyle style = NumberStyle::plain;
  std::string sign;          // after a number: " %"
  std::string unit;          // of differences: "points", "bits per byte"
  std::string unit_key;      // in names of columns: "points", "bits_per_byte"
  double units = 1;          // in a quality of 1: 100 points
  int decimals = 0;          // of numbers in units, in tables
  int verdict_decimals = 0;  // in the verdict, which shows one more of a small difference

  std::string item, items_key;       // what is predicted: "picture", "byte"; in names of columns
  std::string example;               // what is held out and drawn anew: "picture", "document"
  std::string batch_row;             // "picture", "sequence"
  bool shows_example_error = false;  // whether designs show their standard error over examples

  // Of the verdict.
  std::string scored;  // after a number: " of the test pictures right"
  std::string verb;    // "scored", before "2.0 points more than"
  std::string by;      // "by the test pictures they get right"
  std::string score;   // after "the highest" or "the lowest": "score"
  std::string margin;  // after a number: "points of test accuracy"

  // Of report and figures.
  std::string meaning;       // of the quality, for the glossary
  std::string caption;       // of the figure that shows it
  std::string validation;    // of its learning curve
  std::string one_quality;   // "an accuracy"
  std::string gap;           // "Train − test": how much better the training examples are
  std::string best_design;   // "the most accurate design"
  std::string is_best;       // "is the most accurate"
  std::string is_not_worse;  // "is at least as accurate"
  std::string better_takes;  // "more accuracy takes"
};

const MeasureWords& words_of(Measure measure);

std::string quality_text(double quality, Measure measure);  // "91.30 %", "1.9342"
std::string quality_text(double quality, Measure measure, int decimals);
std::string bare_quality_text(double quality, Measure measure);   // "91.30", "1.9342"
std::string difference_text(double difference, Measure measure);  // "2.10", "−0.0035"
std::string difference_text(double difference, Measure measure, int decimals);
std::string signed_difference_text(double difference, Measure measure);  // "+2.10", "−0.0035"

std::string plural(const std::string& noun);       // "pictures"
std::string capitalized(const std::string& text);  // "Bits per byte"

}  // namespace ffn::inline v0
