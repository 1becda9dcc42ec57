#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "ffn/base/thread_pool.h"

namespace ffn::inline v0 {
namespace {

// Processors in the affinity mask. The kernel refuses a mask shorter than its own with EINVAL, so
// it grows until it fits; 0 when the system cannot tell.
int affinity_processors() {
  for (int sets = 1; sets <= 64; sets *= 2) {
    std::vector<cpu_set_t> mask(static_cast<std::size_t>(sets));
    const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
    if (errno != EINVAL) return 0;
  }
  return 0;
}

// This process's cgroup v2 path: the line "0::<path>".
std::string cgroup_path() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return {};
}

// The smallest quota from the process's own group up to the root, or 0. Inside a container the own
// group may not be visible under the mount; the root then is the container's.
int cgroup_processors() {
  int smallest = 0;
  for (std::string path = cgroup_path(); !path.empty();) {
    std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
    std::string line;
    if (std::getline(file, line)) {
      const int quota = quota_processors(line);
      if (quota > 0) smallest = smallest == 0 ? quota : std::min(smallest, quota);
    }
    if (path == "/") break;
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) break;
    path.resize(slash == 0 ? 1 : slash);
  }
  return smallest;
}

}  // namespace

int quota_processors(std::string_view cpu_max) {
  const char* const end = cpu_max.data() + cpu_max.size();
  std::int64_t quota_us = 0, period_us = 0;
  const auto first = std::from_chars(cpu_max.data(), end, quota_us);  // fails for "max"
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return 0;
  const auto second = std::from_chars(first.ptr + 1, end, period_us);
  if (second.ec != std::errc{} || quota_us <= 0 || period_us <= 0) return 0;
  const std::int64_t processors = (quota_us - 1) / period_us + 1;
  return static_cast<int>(std::min<std::int64_t>(processors, kMaxThreads));
}

int available_threads() {
  const int affinity = std::clamp(affinity_processors(), 1, kMaxThreads);
  const int quota = cgroup_processors();
  return quota > 0 ? std::min(affinity, quota) : affinity;
}

}  // namespace ffn::inline v0
