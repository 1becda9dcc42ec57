#include "ffn/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h: adding 16 expects a gzip header and trailer

// Ends the stream on every way out.
struct Inflater {
  z_stream stream = {};
  explicit Inflater(std::string_view where) {
    check(inflateInit2(&stream, kGzipOnly) == Z_OK, ErrorKind::device, where,
          "zlib has no memory to unpack it");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

uInt piece(std::size_t bytes) {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<uInt>::max()));
}

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::vector<std::byte> gunzip(std::span<const std::byte> bytes, std::int64_t limit_bytes,
                              std::string_view where) {
  Inflater inflater(where);
  z_stream& stream = inflater.stream;
  const auto limit = static_cast<std::size_t>(limit_bytes);
  std::vector<std::byte> content;
  std::size_t used = 0, made = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    // One byte of room beyond the limit tells a full stream from one that goes on.
    if (made == content.size())
      content.resize(std::min(std::max(kChunk, 2 * content.size()), limit + 1));
    const uInt in = piece(bytes.size() - used), out = piece(content.size() - made);
    // zlib's interface predates const; next_in is only read.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data() + used));
    stream.avail_in = in;
    stream.next_out = reinterpret_cast<Bytef*>(content.data() + made);
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    used += in - stream.avail_in;
    made += out - stream.avail_out;
    check(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, ErrorKind::io, where,
          "is a damaged gzip file at byte ", used, " (",
          stream.msg != nullptr ? stream.msg : "zlib", "): download it again");
    check(made <= limit, ErrorKind::io, where, "unpacks to more than the ", limit,
          " bytes allowed here");
    check(status == Z_STREAM_END || used < bytes.size() || stream.avail_out == 0, ErrorKind::io,
          where, "is a truncated gzip file: its ", bytes.size(), " bytes unpack to ", made,
          " and then stop: download it again");
  }
  check(used == bytes.size(), ErrorKind::io, where, "has ", bytes.size() - used,
        " bytes after the end of its gzip stream at byte ", used, ": download it again");
  content.resize(made);
  return content;
}

}  // namespace ffn::inline v0
