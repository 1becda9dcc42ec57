// Compiled without ISA flags: it runs before the processor is known.
#include "ffn/bench/limit_loops.h"

#include "ffn/base/error.h"

namespace ffn::inline v0 {

namespace limits {
namespace scalar {
void fill_limit_loops(LimitLoops& loops);
}
namespace avx2 {
void fill_limit_loops(LimitLoops& loops);
}
namespace avx512 {
void fill_limit_loops(LimitLoops& loops);
}
namespace avx512_bf16 {
void fill_limit_loops(LimitLoops& loops);
}
}  // namespace limits

namespace {

template <void (*fill)(LimitLoops&)>
const LimitLoops& filled_loops() {
  static const LimitLoops loops = [] {
    LimitLoops filled;
    fill(filled);
    return filled;
  }();
  return loops;
}

}  // namespace

const LimitLoops& limit_loops(Isa isa) {
  switch (isa) {
    case Isa::scalar: return filled_loops<limits::scalar::fill_limit_loops>();
#if defined(FFN_CPU_X86)
    case Isa::avx2: return filled_loops<limits::avx2::fill_limit_loops>();
    case Isa::avx512: return filled_loops<limits::avx512::fill_limit_loops>();
    case Isa::avx512_bf16: return filled_loops<limits::avx512_bf16::fill_limit_loops>();
#else
    case Isa::avx2:
    case Isa::avx512:
    case Isa::avx512_bf16: break;
#endif
  }
  fail(ErrorKind::device, "limit_loops", "this build has no loops for ", to_string(isa));
}

}  // namespace ffn::inline v0
