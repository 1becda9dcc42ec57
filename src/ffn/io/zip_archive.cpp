#include "ffn/io/zip_archive.h"

#include <minizip/unzip.h>

#include <array>
#include <fstream>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"
#include "ffn/io/mapped_file.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kPiece = 1 << 18;
constexpr std::size_t kLongestName = 4096;
constexpr int kCaseSensitive = 1;
constexpr uLong kEncrypted = 1;  // bit 0 of a member's flags

struct Member {
  std::string name;
  unz_file_info64 info{};
};

// The member at which the archive stands.
Member current_member(unzFile file, const std::string& path) {
  Member member;
  std::array<char, kLongestName + 1> name{};
  const int code = unzGetCurrentFileInfo64(file, &member.info, name.data(), kLongestName, nullptr,
                                           0, nullptr, 0);
  check(code == UNZ_OK && member.info.size_filename <= kLongestName, ErrorKind::io, path,
        "is a damaged zip file: its directory does not hold together");
  member.name.assign(name.data(), member.info.size_filename);
  return member;
}

}  // namespace

ZipArchive::ZipArchive(std::string path) : path_(std::move(path)), file_(nullptr) {
  const MappedFile mapped(path_);  // says why when it cannot be read
  file_ = unzOpen64(path_.c_str());
  if (file_ != nullptr) return;
  const std::string kind = is_zip_file(path_) ? "is a damaged or truncated zip file"
                                              : describe_foreign_file(mapped.bytes());
  fail(ErrorKind::io, path_, kind.empty() ? "is no zip file" : kind);
}

ZipArchive::~ZipArchive() { unzClose(file_); }

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  int code = unzGoToFirstFile(file_);
  while (code == UNZ_OK) {
    names.push_back(current_member(file_, path_).name);
    code = unzGoToNextFile(file_);
  }
  check(code == UNZ_END_OF_LIST_OF_FILE, ErrorKind::io, path_,
        "is a damaged zip file: its directory does not hold together");
  return names;
}

bool ZipArchive::has(std::string_view name) const {
  return unzLocateFile(file_, std::string(name).c_str(), kCaseSensitive) == UNZ_OK;
}

void ZipArchive::read(std::string_view name, std::int64_t limit_bytes,
                      const std::function<void(std::span<const std::byte>)>& take) const {
  check(has(name), ErrorKind::io, path_, "has no ", in_quotes(name));
  const Member member = current_member(file_, path_);
  check((member.info.flag & kEncrypted) == 0, ErrorKind::io, path_, in_quotes(name),
        " is encrypted");
  check(unzOpenCurrentFile(file_) == UNZ_OK, ErrorKind::io, path_, in_quotes(name),
        " cannot be unpacked: damaged, or packed in a way other than deflate");
  // Closes the member on every way out; the checksum is checked by a close of one's own.
  struct Closer {
    unzFile file;
    ~Closer() {
      if (file != nullptr) unzCloseCurrentFile(file);
    }
  } closer{file_};
  std::vector<std::byte> piece(kPiece);
  std::int64_t left = limit_bytes;
  while (true) {
    const int count = unzReadCurrentFile(file_, piece.data(), static_cast<unsigned>(piece.size()));
    check(count >= 0, ErrorKind::io, path_, in_quotes(name), " is damaged");
    if (count == 0) break;
    check(count <= left, ErrorKind::io, path_, in_quotes(name), " has more than ", limit_bytes,
          " bytes");
    left -= count;
    take(std::span(piece).first(static_cast<std::size_t>(count)));
  }
  const int code = unzCloseCurrentFile(std::exchange(closer.file, nullptr));
  check(code == UNZ_OK, ErrorKind::io, path_, in_quotes(name), " is damaged: its checksum differs");
}

bool is_zip_file(const std::string& path) {
  std::array<char, 2> head{};
  std::ifstream in(path, std::ios::binary);
  return in.read(head.data(), head.size()) && head[0] == 'P' && head[1] == 'K';
}

}  // namespace ffn::inline v0
