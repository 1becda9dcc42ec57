#include "ffn/base/error.h"

namespace ffn::inline v0 {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::shape: return "shape";
    case ErrorKind::dtype: return "dtype";
    case ErrorKind::config: return "config";
    case ErrorKind::io: return "io";
    case ErrorKind::device: return "device";
  }
  return "unknown";
}

}  // namespace ffn::inline v0
