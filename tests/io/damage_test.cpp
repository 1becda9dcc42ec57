// Every truncation and every flipped bit of a small valid file: an Error{io} or a valid result,
// never a crash (sanitizers watch), and every truncation is noticed.
#include <zlib.h>

#include <functional>

#include "ffn/io/cifar.h"
#include "ffn/io/gguf.h"
#include "ffn/io/idx.h"
#include "ffn/io/safetensors.h"
#include "ffn/io/safetensors_shards.h"
#include "io/gguf_bytes.h"

namespace ffn {
namespace {

using namespace testing_io;

// True when the reader accepted the bytes.
using Reader = std::function<bool(const Bytes&)>;

bool read_safetensors(const Bytes& file) {
  try {
    const SafetensorsHeader header = parse_safetensors(file, "damaged");
    // Valid means: the tensors tile the end of the file.
    std::size_t bytes = 0;
    for (const StoredTensor& tensor : header.tensors) {
      EXPECT_GE(tensor.offset_bytes, 10);
      EXPECT_LE(tensor.offset_bytes + tensor.bytes, static_cast<std::int64_t>(file.size()));
      bytes += static_cast<std::size_t>(tensor.bytes);
    }
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), 8);
    EXPECT_EQ(8 + size + bytes, file.size());
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

bool read_idx_bytes(const Bytes& file) {
  try {
    const IdxArray array = parse_idx(file, "damaged", 1 << 20);
    std::int64_t count = 1;
    for (const std::int64_t axis : array.shape) count *= axis;
    EXPECT_EQ(count, static_cast<std::int64_t>(array.values.size()));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

bool read_gguf(const Bytes& file) {
  try {
    const GgufHeader header = parse_gguf(file, "damaged");
    std::int64_t position = header.data_offset_bytes;
    for (const StoredTensor& tensor : header.tensors) {
      EXPECT_GE(tensor.offset_bytes, position);
      position = tensor.offset_bytes + tensor.bytes;
      EXPECT_LE(position, static_cast<std::int64_t>(file.size()));
    }
    const GgufMetadata metadata(file, "damaged", header.metadata);
    EXPECT_EQ(metadata.texts_to_show().size(), header.metadata.size());
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

// A whole folder: the index is damaged, its two files are as they were.
bool read_index(const Bytes& file, const SafetensorsHeader& a, const SafetensorsHeader& b) {
  try {
    const SafetensorsIndex index = parse_safetensors_index(file, "damaged");
    std::vector<SafetensorsHeader> headers;
    for (const std::string& shard : index.shards) {
      EXPECT_EQ(shard.find('/'), std::string::npos);
      if (shard != "a.safetensors" && shard != "b.safetensors") return false;  // no such file
      headers.push_back(shard == "a.safetensors" ? a : b);
    }
    check_safetensors_shards(index, headers, "damaged");
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

template <CifarKind kind>
bool read_cifar_bytes(const Bytes& file) {
  try {
    const CifarArray array = parse_cifar(file, kind, "damaged");
    EXPECT_EQ(array.count * cifar_record_bytes(kind), static_cast<std::int64_t>(file.size()));
    for (const std::uint8_t label : array.labels) EXPECT_LT(label, cifar_classes(kind));
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::io) << error.what();
    return false;
  }
}

// Truncations must all be refused; returns how many flipped files were accepted.
int damage(const Bytes& good, const Reader& read) {
  EXPECT_TRUE(read(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))))
        << "cut to " << size;
  int accepted = 0;
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    Bytes flipped = good;
    flipped[i / 8] ^= static_cast<std::byte>(1u << i % 8);
    accepted += read(flipped) ? 1 : 0;
  }
  return accepted;
}

TEST(Damage, Safetensors) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a").string();
  const std::vector<std::byte> data(24);
  write_safetensors(
      path,
      std::vector<SafetensorsSource>{{"w", DType::f32, {2, 2}, std::span(data).first(16)},
                                     {"b", DType::u8, {8}, std::span(data).first(8)},
                                     {"e", DType::f64, {0}, {}}},
      {{"key", "value"}});
  const Bytes good = read_file(path);
  const int accepted = damage(good, read_safetensors);
  // Bits of the 24 data bytes always, of names and metadata often; most of the header never.
  EXPECT_GE(accepted, 24 * 8);
  EXPECT_LT(accepted, static_cast<int>(4 * good.size()));
}

TEST(Damage, Gguf) {
  GgufBytes file;
  file.start(2, 4).key("general.alignment", GgufType::u32).add(std::uint32_t{8});
  file.key("n", GgufType::u16).add(std::uint16_t{9}).key("t", GgufType::text).text("ab");
  file.list("l", GgufType::text, 2).text("a").text("");
  file.tensor("w", {2, 2}, 0, 0).tensor("q", {32}, 2, 16).data(16 + 18, 8);
  const int accepted = damage(file.bytes, read_gguf);
  // Bits of the data, of padding and of values always, of names often; of counts and sizes never.
  EXPECT_GE(accepted, (16 + 18) * 8);
  EXPECT_LT(accepted, static_cast<int>(6 * file.bytes.size()));
}

TEST(Damage, SafetensorsIndex) {
  const auto header = [](const char* name) {
    SafetensorsHeader made;
    made.tensors.push_back({name, "U8", DType::u8, {0}, 0, 0, 0});
    return made;
  };
  const SafetensorsHeader a = header("t"), b = header("u");
  const Bytes good =
      to_bytes(R"({"metadata":{"n":1},"weight_map":{"t":"a.safetensors","u":"b.safetensors"}})");
  const int accepted = damage(good, [&](const Bytes& file) { return read_index(file, a, b); });
  // Bits of the metadata's key and value: n and 1 may become other letters and digits.
  EXPECT_GE(accepted, 8);
  EXPECT_LE(accepted, 16);
}

TEST(Damage, Idx) {
  const Bytes good = idx_bytes(8, {3, 4}, 12);
  EXPECT_EQ(damage(good, read_idx_bytes), 12 * 8);  // only the data may change unnoticed
}

TEST(Damage, Cifar) {
  // One record: no truncation ends between two. Label 0 stays in range for the bits 1, 2, 4, 8 of
  // CIFAR-10, the bits 1 to 16 of a coarse and 1 to 64 of a fine label.
  constexpr int kPixelBits = 3072 * 8;
  EXPECT_EQ(damage(Bytes(3073), read_cifar_bytes<CifarKind::cifar10>), kPixelBits + 4);
  EXPECT_EQ(damage(Bytes(3074), read_cifar_bytes<CifarKind::cifar100>), kPixelBits + 5 + 7);
}

TEST(Damage, IdxInGzip) {
  const Bytes plain = idx_bytes(8, {3, 4}, 12);
  Bytes packed(128);
  z_stream stream = {};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  // What nobody checks: time (4 bytes), compression level and system (1 each), the text flag, and
  // the up to 7 bits that fill the last byte of the deflate stream. All else is under a checksum.
  EXPECT_LE(damage(packed, read_idx_bytes), 6 * 8 + 1 + 7);
}

}  // namespace
}  // namespace ffn
