// Writing a file so that a reader, or a crash, sees the old content or the new, never a part.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

// A temporary file in the target's folder, which commit() puts in the target's place: fsync,
// rename, fsync of the folder. Without commit() the temporary file is removed and the target
// untouched. A target that is a symbolic link is replaced, not followed. Errors: Error{io} with the
// system's reason, naming the target.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  // Once; nothing may be written afterwards.
  void commit();

 private:
  [[noreturn]] void fail_with(std::string_view what, int code) const;

  std::string path_, folder_, temporary_;
  int descriptor_ = -1;
};

}  // namespace ffn::inline v0
