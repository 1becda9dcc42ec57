#include "ffn/io/safetensors_shards.h"

#include <algorithm>

#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

const std::vector<std::byte> kData(64, std::byte{7});

SafetensorsSource source(const std::string& name, std::int64_t bytes) {
  return {name, DType::u8, {bytes}, std::span(kData).first(static_cast<std::size_t>(bytes))};
}

void write_index(const TemporaryFolder& folder, std::string_view text) {
  write_file(folder / kSafetensorsIndexName, to_bytes(text));
}

std::string index_of(const TemporaryFolder& folder) {
  return (folder / kSafetensorsIndexName).string();
}

TEST(SafetensorsShards, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  const std::vector<float> weight{1, -2, 3.5f, 0};
  const std::vector<SafetensorsSource> sources{
      {"w", DType::f32, {2, 2}, std::as_bytes(std::span(weight))},
      source("b", 8),     // fills the first shard
      source("c", 1),     // does not fit into it
      source("big", 30),  // larger than any shard
      source("d", 24),
      {"none", DType::f32, {0}, {}}};
  write_safetensors_shards(folder.path().string(), sources, 24, {{"format", "pt"}});

  const SafetensorsShards shards(index_of(folder));
  EXPECT_EQ(shards.format(), "safetensors in shards");
  EXPECT_EQ(shards.metadata(), (std::map<std::string, std::string>{{"total_size", "79"}}));
  ASSERT_EQ(shards.files().size(), 4u);
  const std::vector<std::size_t> place{0, 0, 1, 2, 3, 3};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const StoredTensor& read = shards.at(sources[i].name);
    EXPECT_EQ(read.file, place[i]) << sources[i].name;
    EXPECT_EQ(read.shape, sources[i].shape);
    EXPECT_TRUE(std::ranges::equal(shards.data(read), sources[i].data)) << sources[i].name;
    EXPECT_EQ(shards.file_of(read)->path(),
              (folder / ("model-0000" + std::to_string(place[i] + 1) + "-of-00004.safetensors"))
                  .string());
  }
  EXPECT_EQ(shards.find("absent"), nullptr);
  expect_error(ErrorKind::io, {"index.json", "'absent'", "6 tensors"},
               [&] { shards.at("absent"); });
  // Each shard is a file of its own.
  const SafetensorsFile first((folder / "model-00001-of-00004.safetensors").string());
  EXPECT_EQ(first.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  EXPECT_EQ(first.tensors().size(), 2u);
}

TEST(SafetensorsShards, TheWriterRefusesBeforeItWrites) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  expect_error(ErrorKind::config, {"'a'", "twice"}, [&] {
    write_safetensors_shards(path, std::vector{source("a", 1), source("a", 2)}, 1);
  });
  expect_error(ErrorKind::config, {"UTF-8"}, [&] {
    write_safetensors_shards(path, std::vector{source("a", 1), source("\xff", 2)}, 1);
  });
  expect_error(ErrorKind::config, {"shards of 0 bytes"},
               [&] { write_safetensors_shards(path, std::vector{source("a", 1)}, 0); });
  expect_error(ErrorKind::config, {"without tensors"},
               [&] { write_safetensors_shards(path, {}, 1); });
  std::vector<SafetensorsSource> many;
  for (int i = 0; i < 10'001; ++i) many.push_back(source("t" + std::to_string(i), 1));
  expect_error(ErrorKind::config, {"10001 files, at most 10000"},
               [&] { write_safetensors_shards(path, many, 1); });
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  for (const std::string_view name :
       {kSafetensorsIndexName, std::string_view("model.safetensors")}) {
    const TemporaryFolder used;
    write_file(used / name, {});
    expect_error(ErrorKind::io, {"holds a checkpoint already", name}, [&] {
      write_safetensors_shards(used.path().string(), std::vector{source("a", 1)}, 1);
    });
  }
}

TEST(SafetensorsShards, IndexAndFilesMustAgree) {
  const auto expect = [](std::string_view index, std::initializer_list<std::string_view> says) {
    const TemporaryFolder folder;
    write_safetensors((folder / "x.safetensors").string(), std::vector{source("a", 1)});
    write_safetensors((folder / "y.safetensors").string(),
                      std::vector{source("b", 1), source("c", 1)});
    write_index(folder, index);
    expect_error(ErrorKind::io, says, [&] { SafetensorsShards(index_of(folder)); });
  };
  expect(R"({"weight_map":{"a":"x.safetensors","b":"y.safetensors"}})",
         {"index.json", "does not name tensor 'c', which 'y.safetensors' holds"});
  expect(R"({"weight_map":{"a":"y.safetensors","b":"y.safetensors","c":"y.safetensors"}})",
         {"says that tensor 'a' is in 'y.safetensors', which does not hold it"});
  expect(R"({"weight_map":{"a":"y.safetensors","b":"x.safetensors","c":"y.safetensors"}})",
         {"says that tensor 'a' is in 'y.safetensors', but it is in 'x.safetensors'"});
  expect(R"({"weight_map":{"a":"z.safetensors"}})", {"z.safetensors", "No such file"});
}

TEST(SafetensorsShards, ATensorInTwoFilesIsRefused) {
  const TemporaryFolder folder;
  write_safetensors((folder / "x.safetensors").string(), std::vector{source("a", 1)});
  write_safetensors((folder / "y.safetensors").string(),
                    std::vector{source("a", 1), source("b", 1)});
  write_index(folder, R"({"weight_map":{"a":"x.safetensors","b":"y.safetensors"}})");
  expect_error(ErrorKind::io, {"tensor 'a' is in 'x.safetensors', but it is in 'y.safetensors'"},
               [&] { SafetensorsShards(index_of(folder)); });
}

TEST(SafetensorsShards, LinksAreNotFollowed) {
  const TemporaryFolder folder, elsewhere;
  write_safetensors((elsewhere / "x.safetensors").string(), std::vector{source("a", 1)});
  std::filesystem::create_symlink(elsewhere / "x.safetensors", folder / "x.safetensors");
  write_index(folder, R"({"weight_map":{"a":"x.safetensors"}})");
  expect_error(ErrorKind::io, {"x.safetensors", "is a symbolic link", "cp -L"},
               [&] { SafetensorsShards(index_of(folder)); });
  EXPECT_NO_THROW(MappedFile((folder / "x.safetensors").string()));
}

TEST(SafetensorsShards, ADamagedFileIsNamed) {
  const TemporaryFolder folder;
  write_safetensors_shards(folder.path().string(), std::vector{source("a", 8), source("b", 8)}, 8);
  const auto second = folder / "model-00002-of-00002.safetensors";
  std::filesystem::resize_file(second, std::filesystem::file_size(second) - 1);
  expect_error(ErrorKind::io, {second.string(), "is truncated"},
               [&] { SafetensorsShards(index_of(folder)); });
}

struct Hostile {
  std::string_view name, index, says;
};

constexpr Hostile kHostile[] = {
    {"above", R"({"weight_map":{"a":"../x.safetensors"}})", "the plain name of a file"},
    {"absolute", R"({"weight_map":{"a":"/etc/x.safetensors"}})", "the plain name of a file"},
    {"below", R"({"weight_map":{"a":"d/x.safetensors"}})", "the plain name of a file"},
    {"backslash", R"({"weight_map":{"a":"..\\x.safetensors"}})", "the plain name of a file"},
    {"zero", R"({"weight_map":{"a":"x\u0000.safetensors"}})", "the plain name of a file"},
    {"hidden", R"({"weight_map":{"a":".x.safetensors"}})", "the plain name of a file"},
    {"empty", R"({"weight_map":{"a":""}})", "ends in .safetensors"},
    {"dots", R"({"weight_map":{"a":".."}})", "the plain name of a file"},
    {"other", R"({"weight_map":{"a":"x.bin"}})", "ends in .safetensors"},
    {"nameless", R"({"weight_map":{"a":".safetensors"}})", "the plain name of a file"},
    {"tensor_twice", R"({"weight_map":{"a":"x.safetensors","a":"x.safetensors"}})",
     "tensor 'a' appears twice"},
    {"twice_by_escape", R"({"weight_map":{"a":"x.safetensors","\u0061":"y.safetensors"}})",
     "tensor 'a' appears twice"},
    {"map_twice", R"({"weight_map":{"a":"x.safetensors"},"weight_map":{}})",
     "key 'weight_map' appears twice"},
    {"metadata_twice", R"({"metadata":{},"metadata":{},"weight_map":{"a":"x.safetensors"}})",
     "key 'metadata' appears twice"},
    {"metadata_key_twice", R"({"metadata":{"k":1,"k":2},"weight_map":{"a":"x.safetensors"}})",
     "metadata key 'k' appears twice"},
    {"unknown_key", R"({"weight_map":{"a":"x.safetensors"},"more":{}})", "unknown key 'more'"},
    {"no_map", R"({"metadata":{"total_size":1}})", "lacks the key 'weight_map'"},
    {"no_tensor", R"({"weight_map":{}})", "names no tensor"},
    {"map_list", R"({"weight_map":[]})", "holds a list where an object"},
    {"map_text", R"({"weight_map":"x.safetensors"})", "holds a string where an object"},
    {"shard_number", R"({"weight_map":{"a":1}})", "holds a number where the name of a file"},
    {"shard_null", R"({"weight_map":{"a":null}})", "holds null where the name of a file"},
    {"shard_list", R"({"weight_map":{"a":["x.safetensors"]}})", "holds a list where the name"},
    {"shard_object", R"({"weight_map":{"a":{}}})", "holds an object where the name"},
    {"metadata_object", R"({"metadata":{"k":{}},"weight_map":{"a":"x.safetensors"}})",
     "holds an object where a plain value"},
    {"metadata_list", R"({"metadata":{"k":[1]},"weight_map":{"a":"x.safetensors"}})",
     "holds a list where a plain value"},
    {"list", "[]", "holds a list where an object belongs"},
    {"unfinished", R"({"weight_map":{"a":"x.saf)", "is not valid JSON at byte"},
    {"two_documents", R"({"weight_map":{"a":"x.safetensors"}}{})", "is not valid JSON"},
    {"not_utf8", "{\"weight_map\":{\"\xff\":\"x.safetensors\"}}", "is not valid JSON"},
    {"zero_after", std::string_view("{}\0", 3), "zero byte"},
};

TEST(SafetensorsIndex, EveryLieIsNamed) {
  for (const Hostile& hostile : kHostile) {
    SCOPED_TRACE(hostile.name);
    expect_error(ErrorKind::io, {"[evil]", hostile.says},
                 [&] { parse_safetensors_index(to_bytes(hostile.index), "evil"); });
  }
}

TEST(SafetensorsIndex, SizesAreBounded) {
  std::string many = R"({"weight_map":{)";
  for (int i = 0; i < 10'001; ++i) {
    const std::string number = std::to_string(i);
    many += (i == 0 ? "\"t" : ",\"t") + number + "\":\"" + number + ".safetensors\"";
  }
  expect_error(ErrorKind::io, {"more than 10000 files"},
               [&] { parse_safetensors_index(to_bytes(many + "}}"), "evil"); });
  expect_error(ErrorKind::io, {"has 100000001 bytes, an index at most 100000000"}, [&] {
    parse_safetensors_index(to_bytes("{" + std::string(100'000'000, ' ')), "evil");
  });
  const std::string name(300, 'x');
  expect_error(ErrorKind::io, {"at most 255 bytes"}, [&] {
    parse_safetensors_index(to_bytes("{\"weight_map\":{\"a\":\"" + name + ".safetensors\"}}"), "e");
  });
  const std::string deep = "{\"weight_map\":" + std::string(25'000'000, '[');
  expect_error(ErrorKind::io, {"holds a list where an object"},
               [&] { parse_safetensors_index(to_bytes(deep), "evil"); });
}

TEST(SafetensorsIndex, PlainMetadataIsKeptAsText) {
  const SafetensorsIndex index = parse_safetensors_index(
      to_bytes(R"( {"metadata":{"total_size":1.5e10,"n":-3,"t":true,"s":"x","z":null},)"
               R"("weight_map":{"b":"y.safetensors","a":"x.safetensors","c":"x.safetensors"}})"),
      "f");
  EXPECT_EQ(index.metadata,
            (std::map<std::string, std::string>{
                {"n", "-3"}, {"s", "x"}, {"t", "true"}, {"total_size", "1.5e10"}, {"z", "null"}}));
  EXPECT_EQ(index.shards, (std::vector<std::string>{"x.safetensors", "y.safetensors"}));
  ASSERT_EQ(index.entries.size(), 3u);
  EXPECT_EQ(index.entries[1].tensor, "b");
  EXPECT_EQ(index.entries[1].shard, 1u);
}

}  // namespace
}  // namespace ffn
