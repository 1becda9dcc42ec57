#include "ffn/base/process.h"

#include <sys/utsname.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "ffn/base/thread_pool.h"

namespace ffn::inline v0 {
namespace {

// What stands behind "<key>" and a colon in a file of lines "key : value"; empty when there is
// none.
std::string value_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? std::string() : line.substr(first);
  }
  return {};
}

// "123456 kB" in bytes.
std::int64_t bytes_of(const std::string& kib) {
  std::int64_t value = 0;
  std::from_chars(kib.data(), kib.data() + kib.size(), value);
  return value * 1024;
}

}  // namespace

std::int64_t process_peak_bytes() { return bytes_of(value_of("/proc/self/status", "VmHWM")); }

std::string processor_name() {
  const std::string name = value_of("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown processor" : name;
}

std::string machine_description() {
  std::string text = processor_name();
  text += ", " + std::to_string(available_threads()) + " processors";
  const std::int64_t bytes = bytes_of(value_of("/proc/meminfo", "MemTotal"));
  std::array<char, 32> memory{};
  std::snprintf(memory.data(), memory.size(), ", %.1f GiB", static_cast<double>(bytes) / (1 << 30));
  if (bytes > 0) text += memory.data();
  utsname system{};
  if (::uname(&system) == 0) text += std::string(", ") + system.sysname + " " + system.release;
  return text;
}

}  // namespace ffn::inline v0
