#include "ffn/io/idx.h"

#include <zlib.h>

#include "ffn/io/gzip.h"
#include "io/files.h"

namespace ffn {
namespace {

using namespace testing_io;

// One gzip stream of `content`, by zlib itself.
Bytes gzip(const Bytes& content) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(content.size())));
  Bytes copy = content;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(Idx, ReadsImagesAndLabels) {
  const IdxArray images = parse_idx(idx_bytes(8, {2, 3, 4}, 24), "f");
  EXPECT_EQ(images.shape, (std::vector<std::int64_t>{2, 3, 4}));
  ASSERT_EQ(images.values.size(), 24u);
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(images.values[i], i);
  const IdxArray labels = parse_idx(idx_bytes(8, {5}, 5), "f");
  EXPECT_EQ(labels.shape, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(labels.values, (std::vector<std::uint8_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(parse_idx(idx_bytes(8, {0, 28, 28}, 0), "f").values.empty());
}

TEST(Idx, ReadsGzipFilesOfAnySize) {
  for (const std::uint32_t count : {0u, 1u, 65'000u, 65'536u, 1'000'003u}) {
    const Bytes plain = idx_bytes(8, {count}, count);
    const TemporaryFolder folder;
    write_file(folder / "a.gz", gzip(plain));
    write_file(folder / "a", plain);
    const IdxArray packed = read_idx((folder / "a.gz").string());
    EXPECT_EQ(packed.shape, (std::vector<std::int64_t>{count}));
    EXPECT_EQ(packed.values, read_idx((folder / "a").string()).values);
  }
}

TEST(Idx, SaysWhatIsWrong) {
  const auto expect = [](const Bytes& file, std::initializer_list<std::string_view> says) {
    expect_error(ErrorKind::io, says, [&] { parse_idx(file, "images"); });
  };
  expect(to_bytes("ab"), {"images", "truncated: 2 bytes, expected at least 4"});
  expect(to_bytes("abcdef"), {"starts with bytes 97, 98, expected 0, 0"});
  expect(idx_bytes(13, {1}, 4), {"32-bit floats (type 13), expected unsigned bytes"});
  expect(idx_bytes(7, {1}, 4), {"an unknown type (type 7)"});
  expect(idx_bytes(8, {}, 0), {"0 axes, expected 1 to 4"});
  expect(idx_bytes(8, {1, 1, 1, 1, 1}, 1), {"5 axes, expected 1 to 4"});
  expect(idx_bytes(8, {2, 3}, 5), {"truncated: 17 bytes, expected 18"});
  expect(idx_bytes(8, {2, 3}, 7), {"1 bytes too many: 19 bytes, expected 18"});
}

TEST(Idx, WrappingProductsAreRefused) {
  // 65536 · 65536 is 0 in 32 bits; the four axes' product is 0 in 64.
  for (const Bytes& file :
       {idx_bytes(8, {65536, 65536}, 0), idx_bytes(8, {0x80000000u, 0x80000000u, 4}, 0),
        idx_bytes(8, {65536, 65536, 65536, 65536}, 0),
        idx_bytes(8, {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, 0)})
    expect_error(ErrorKind::io, {"more than the 1073741824 elements allowed"},
                 [&] { parse_idx(file, "f"); });
}

TEST(Idx, TheLimitHoldsBeforeAnythingIsCopied) {
  const Bytes plain = idx_bytes(8, {1000}, 1000);
  EXPECT_EQ(parse_idx(plain, "f", 1000).values.size(), 1000u);
  EXPECT_EQ(parse_idx(gzip(plain), "f", 1000).values.size(), 1000u);
  expect_error(ErrorKind::io, {"999 elements"}, [&] { parse_idx(plain, "f", 999); });
  expect_error(ErrorKind::io, {"999"}, [&] { parse_idx(gzip(plain), "f", 999); });
  expect_error(ErrorKind::config, {"-1"}, [&] { parse_idx(plain, "f", -1); });
}

TEST(Idx, ADecompressionBombStopsAtTheLimit) {
  const Bytes bomb = gzip(Bytes(std::size_t{16} << 20));  // 16 MiB of zeros in 16 KiB
  ASSERT_LT(bomb.size(), 30'000u);
  expect_error(ErrorKind::io, {"more than the 1000000 bytes allowed"},
               [&] { gunzip(bomb, 1'000'000, "f"); });
  EXPECT_EQ(gunzip(bomb, std::int64_t{16} << 20, "f").size(), std::size_t{16} << 20);
}

TEST(Idx, DamagedGzipIsNamed) {
  const Bytes good = gzip(idx_bytes(8, {1000}, 1000));
  Bytes file = good;
  file[file.size() - 5] ^= std::byte{1};  // the checksum
  expect_error(ErrorKind::io, {"damaged gzip", "data check"}, [&] { parse_idx(file, "f"); });
  file = good;
  file.push_back(std::byte{0});
  expect_error(ErrorKind::io, {"1 bytes after the end"}, [&] { parse_idx(file, "f"); });
  file = good;
  file.resize(file.size() / 2);
  expect_error(ErrorKind::io, {"truncated gzip"}, [&] { parse_idx(file, "f"); });
}

}  // namespace
}  // namespace ffn
