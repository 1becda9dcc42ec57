// Making a folder so that it appears with all its files, or not at all.
#pragma once

#include <string>

namespace ffn::inline v0 {

// A new empty folder beside `target`, whose parents are made: a place to work in. commit() moves
// one folder of it to the target; what else is there is removed in the end. Errors: Error{io} with
// the system's reason, naming the target.
class StagingFolder {
 public:
  explicit StagingFolder(std::string target);
  ~StagingFolder();
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;

  const std::string& path() const { return path_; }
  const std::string& target() const { return target_; }
  // Moves <path>/<inner>, whose files are on the disk (AtomicFile), to the target. Errors: io also
  // where something has come to be there that is no empty folder.
  void commit(const std::string& inner) const;

 private:
  std::string target_, parent_, path_;
};

}  // namespace ffn::inline v0
