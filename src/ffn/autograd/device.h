// Where operations run: a kernel table, the threads to run it with, and whether it runs at all.
#pragma once

#include "ffn/autograd/activation_precision.h"
#include "ffn/base/cpu_features.h"
#include "ffn/base/thread_pool.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0 {

// dry runs `infer` alone and imitates another device's scratch: bytes and flops without memory.
struct Device {
  const kernels::KernelTable* kernels = nullptr;
  ThreadPool* threads = nullptr;  // not owned
  std::string_view name;          // "reference", "cpu-avx2", …
  bool dry = false;
  // Of what passes products with quantised weights while nothing is recorded.
  ActivationPrecision activations = ActivationPrecision::f32;
};

// Scalar kernels in double; the only device for f64 and c128. Serial.
Device reference_device();
// The best ISA of this machine (or FFN_ISA), or a given one. Throws Error{device} if it cannot run
// here.
Device cpu_device(ThreadPool& threads);
Device cpu_device(ThreadPool& threads, Isa isa);
// What `device` would do, without doing it.
Device dry_device(const Device& device);

}  // namespace ffn::inline v0
