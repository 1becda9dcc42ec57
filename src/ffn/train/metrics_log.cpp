#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/train/run_folder.h"

namespace ffn::inline v0 {

void MetricsLog::fail_with(std::string_view what, int code) const {
  fail(ErrorKind::io, path_, what, ": ", std::generic_category().message(code));
}

MetricsLog::MetricsLog(std::string path, std::int64_t keep_bytes) : path_(std::move(path)) {
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_with("cannot be opened", errno);
  struct stat status = {};
  const bool known = ::fstat(descriptor, &status) == 0;
  const bool enough = known && status.st_size >= keep_bytes;
  const bool cut = enough && ::ftruncate(descriptor, keep_bytes) == 0;
  const int code = errno;
  if (!cut) ::close(descriptor);
  check(!known || enough, ErrorKind::io, path_, "has ", status.st_size,
        " bytes, its checkpoint recorded ", keep_bytes, ": it was shortened since");
  if (!cut) fail_with("cannot be cut to its checkpoint's length", code);
  descriptor_ = descriptor;
  bytes_ = keep_bytes;
}

MetricsLog::~MetricsLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void MetricsLog::append(std::span<const Metric> metrics) {
  nlohmann::ordered_json line = {{"schema", 1}};
  for (const Metric& metric : metrics)
    std::visit([&](const auto& value) { line[std::string(metric.name)] = value; }, metric.value);
  // Text that is not UTF-8 becomes U+FFFD: a metric must not end a run.
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      const int code = errno;
      // Part of a line would spoil the next one.
      if (::ftruncate(descriptor_, bytes_) != 0) fail_with("cannot be written nor cut", code);
      fail_with("cannot be written", code);
    }
  }
  bytes_ += static_cast<std::int64_t>(text.size());
}

void MetricsLog::sync() {
  if (::fsync(descriptor_) != 0) fail_with("cannot be flushed to the disk", errno);
}

}  // namespace ffn::inline v0
