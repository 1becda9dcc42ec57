#include "ffn/bench/counted_runs.h"

#include "ffn/bench/workload.h"

namespace ffn::inline v0 {

[[gnu::noinline]] void counted_run(const std::function<void()>& run) {
  run();
  // Nothing may be left to do after the call: a jump in its place would not return through here.
  asm volatile("" ::: "memory");
}

void run_counted(const std::vector<BenchCase>& cases, int runs,
                 const std::function<void(const std::string&)>& announce) {
  const auto pool = make_thread_pool(1);
  const BenchMachine on{choose_isa(), pool.get(), {0, 0, 0}};
  for (const BenchCase& c : cases) {
    const Workload work = make_workload(c, on);
    announce(c.suite + "/" + c.name);
    for (int i = 0; i < runs; ++i) counted_run(work.run);
  }
}

}  // namespace ffn::inline v0
