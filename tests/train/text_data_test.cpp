// A text becomes documents that cover it, in parts that share none; batches hold its windows.
#include "ffn/train/text_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ffn/tensor/host.h"
#include "ffn/train/text_batches.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using testing_io::expect_error;
using testing_io::TemporaryFolder;

// Paragraphs of different lengths, each with its number.
std::string made_up_text(int paragraphs) {
  std::string text;
  for (int i = 0; i < paragraphs; ++i) {
    text += "paragraph " + std::to_string(i) + "\n";
    for (int line = 0; line < i * 7 % 11; ++line) text += "a line of it, longer than the first\n";
    text += "\n";
  }
  return text;
}

std::string write_text(const TemporaryFolder& folder, const std::string& text) {
  testing_io::write_file(folder / "some.txt", testing_io::to_bytes(text));
  return "text:" + (folder / "some.txt").string();
}

std::string text_of(const TextSet& set, std::int64_t document) {
  std::string text;
  for (const std::uint16_t id : set.document(document).subspan(1))
    text.push_back(static_cast<char>(id));
  return text;
}

TEST(TextData, DocumentsAreTheTextAndPartsShareNone) {
  const TemporaryFolder folder;
  const std::string text = made_up_text(900);
  const TextData data = load_text_data(write_text(folder, text));
  EXPECT_EQ(data.name, "some.txt");
  EXPECT_EQ(data.vocabulary, 256);
  std::multiset<std::string> documents;
  std::int64_t bytes = 0;
  for (const TextSet* set : {&data.train, &data.validation, &data.test}) {
    for (std::int64_t i = 0; i < set->count(); ++i) {
      EXPECT_EQ(set->document(i)[0], 0) << "the separator";
      const std::string document = text_of(*set, i);
      EXPECT_EQ(static_cast<std::int64_t>(document.size()),
                set->bytes[static_cast<std::size_t>(i)]);
      EXPECT_NE(text.find(document), std::string::npos);
      documents.insert(document);
      bytes += static_cast<std::int64_t>(document.size());
    }
  }
  EXPECT_EQ(bytes, static_cast<std::int64_t>(text.size()));
  const std::int64_t count = static_cast<std::int64_t>(documents.size());
  EXPECT_EQ(data.test.count(), count / 20);
  EXPECT_EQ(data.validation.count(), count / 20);
  EXPECT_EQ(std::set<std::string>(documents.begin(), documents.end()).size(), documents.size());
  for (const std::string& document : documents) {
    EXPECT_LE(document.size(), 8192u);
    // All but the text's last end behind a blank line, where they are long enough.
    if (!text.ends_with(document)) {
      EXPECT_GE(document.size(), 2048u);
      EXPECT_TRUE(document.ends_with("\n\n"));
    }
  }
}

TEST(TextData, TextsWithoutBlankLinesAreCutAtLinesOrAtTheLimit) {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 9000; ++i) lines += "line " + std::to_string(i) + "\n";
  const TextData data = load_text_data(write_text(folder, std::string(200'000, 'x') + lines));
  for (std::int64_t i = 0; i < data.train.count(); ++i) {
    const std::string document = text_of(data.train, i);
    EXPECT_TRUE(document.size() == 8192 || document.back() == '\n') << document.size();
  }
}

TEST(TextData, WhatIsNoTextIsNamed) {
  const TemporaryFolder folder;
  std::string text = made_up_text(900);
  expect_error(ErrorKind::io, {"some.txt", "documents; at least 20"},
               [&] { load_text_data(write_text(folder, text.substr(0, 9000))); });
  text[50'000] = '\0';
  expect_error(ErrorKind::io, {"some.txt", "byte 0"},
               [&] { load_text_data(write_text(folder, text)); });
  expect_error(ErrorKind::io, {"no-such-file"}, [] { load_text_data("text:/no-such-file"); });
  expect_error(ErrorKind::config, {"text:PATH"}, [] { load_text_data("gcidee"); });
  EXPECT_TRUE(names_text("gcide"));
  EXPECT_FALSE(names_text("mnist"));
}

TextSet numbered(std::int64_t ids) {
  TextSet set;
  for (std::int64_t i = 0; i < ids; ++i) set.ids.push_back(static_cast<std::uint16_t>(i));
  set.starts.push_back(ids);
  set.bytes.push_back(static_cast<std::int32_t>(ids - 1));
  return set;
}

TEST(TextBatches, AnEpochSeesEveryWindowOnceAndTargetsAreTheNextIds) {
  constexpr std::int64_t kIds = 1000, T = 7, B = 4;
  const TextSet set = numbered(kIds);
  Executor ex(cpu_device(serial_pool()));
  TextTrainBatches batches(ex, set, {.batch = B, .tokens = T, .seed = 3});
  EXPECT_EQ(text_windows(set, T), (kIds - 1) / T - 1);
  std::set<std::int32_t> offsets;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::set<std::int32_t> firsts;
    for (std::int64_t step = 0; step < batches.steps_per_epoch(); ++step) {
      batches.fill(epoch, step);
      const auto ids = host_span<std::int32_t>(batches.ids());
      const auto targets = host_span<std::int32_t>(batches.targets());
      for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(targets[i], ids[i] + 1);
      for (std::int64_t b = 0; b < B; ++b) {
        const std::int32_t first = ids[static_cast<std::size_t>(b * T)];
        EXPECT_TRUE(firsts.insert(first).second) << "a window twice";
        EXPECT_EQ(first % T, *firsts.begin() % T);
      }
    }
    EXPECT_EQ(static_cast<std::int64_t>(firsts.size()), batches.steps_per_epoch() * B);
    offsets.insert(*firsts.begin() % static_cast<std::int32_t>(T));
  }
  EXPECT_GT(offsets.size(), 1u) << "epochs begin at different places";
}

TEST(TextBatches, ARunThatResumesSeesTheSameWindows) {
  const TextSet set = numbered(3000);
  Executor ex(cpu_device(serial_pool()));
  TextTrainBatches whole(ex, set, {.batch = 5, .tokens = 16, .seed = 9});
  TextTrainBatches resumed(ex, set, {.batch = 5, .tokens = 16, .seed = 9});
  for (std::int64_t step = 0; step < 4; ++step) whole.fill(2, step);
  resumed.fill(2, 3);
  EXPECT_TRUE(std::ranges::equal(host_span<std::int32_t>(whole.ids()),
                                 host_span<std::int32_t>(resumed.ids())));
}

TEST(TextBatches, EvaluationPredictsEveryByteOnce) {
  const TemporaryFolder folder;
  const TextData data = load_text_data(write_text(folder, made_up_text(300)));
  Executor ex(cpu_device(serial_pool()));
  const TextSet& set = data.train;
  constexpr std::int64_t T = 33, kBlock = 5;
  TextEvalBatches batches(ex, set, set.count(), T, kBlock);
  std::vector<std::string> read(static_cast<std::size_t>(set.count()));
  for (std::int64_t block = 0; block < batches.blocks(); ++block) {
    batches.fill(block);
    const auto ids = host_span<std::int32_t>(batches.ids());
    const auto targets = host_span<std::int32_t>(batches.targets());
    for (std::int64_t piece = 0; piece < kBlock; ++piece) {
      const std::int64_t document = batches.document_of(piece);
      for (std::int64_t t = 0; t < T; ++t) {
        const auto place = static_cast<std::size_t>(piece * T + t);
        if (targets[place] < 0) continue;
        std::string& text = read.at(static_cast<std::size_t>(document));
        EXPECT_EQ(ids[place], text.empty() ? 0 : static_cast<unsigned char>(text.back()));
        text.push_back(static_cast<char>(targets[place]));
      }
    }
  }
  for (std::int64_t i = 0; i < set.count(); ++i)
    EXPECT_EQ(read[static_cast<std::size_t>(i)], text_of(set, i));
}

}  // namespace
}  // namespace ffn
