// Prints every planted fault of this build, one per line: id, tab, CTest expression, tab, name.
#include <cstdio>

#include "ffn/base/faults.h"

int main() {
  for (const ffn::Fault& fault : ffn::list_faults()) {
    std::printf("%d\t%s\t%s\n", fault.id, fault.caught_by.data(), fault.name.data());
  }
}
