// What the system says of this process and this machine.
#pragma once

#include <cstdint>
#include <string>

namespace ffn::inline v0 {

// Highest resident memory of this program since it was started (VmHWM of /proc/self/status; unlike
// getrusage it does not count what the parent had before exec); 0 where the system does not say.
std::int64_t process_peak_bytes();

// "AMD EPYC 9354", or "unknown processor".
std::string processor_name();

// "AMD EPYC 9354, 2 processors, 23.4 GiB, Linux 6.1.0": what measurements must be read with.
std::string machine_description();

}  // namespace ffn::inline v0
