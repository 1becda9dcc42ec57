#include "ffn/autograd/device.h"

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

std::string_view device_name(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "cpu-scalar";
    case Isa::avx2: return "cpu-avx2";
    case Isa::avx512: return "cpu-avx512";
    case Isa::avx512_bf16: return "cpu-avx512_bf16";
  }
  return "cpu";
}

}  // namespace

Device reference_device() {
  return {&kernels::reference_table(), &serial_pool(), "reference", false};
}

Device cpu_device(ThreadPool& threads) { return cpu_device(threads, choose_isa()); }

Device cpu_device(ThreadPool& threads, Isa isa) {
  check(cpu_supports(isa), ErrorKind::device, "cpu_device", "this machine has no ", to_string(isa),
        "; leave FFN_ISA unset to take the best it has");
  return {&kernels::cpu_table(isa), &threads, device_name(isa), false};
}

Device dry_device(const Device& device) {
  Device dry = device;
  dry.dry = true;
  return dry;
}

}  // namespace ffn::inline v0
