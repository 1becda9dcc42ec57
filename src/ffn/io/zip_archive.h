// Zip files, member by member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

// Nothing is unpacked to where a member's name says: who asks for a member says where it goes.
class ZipArchive {
 public:
  // Errors: Error{io} for what cannot be opened or is no zip file.
  explicit ZipArchive(std::string path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const std::string& path() const { return path_; }
  // Of all members, as the archive has them. Errors: io for a damaged directory.
  std::vector<std::string> names() const;
  bool has(std::string_view name) const;
  // Hands the member's bytes to `take`, piece by piece; at most `limit_bytes`. Errors: Error{io}
  // naming archive and member: missing, encrypted, damaged (checksum, format), larger than that.
  void read(std::string_view name, std::int64_t limit_bytes,
            const std::function<void(std::span<const std::byte>)>& take) const;

 private:
  std::string path_;
  void* file_;
};

// Whether the file starts as a zip file does. False where it cannot be read.
bool is_zip_file(const std::string& path);

}  // namespace ffn::inline v0
