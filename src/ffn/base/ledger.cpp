#include "ffn/base/ledger.h"

namespace ffn::inline v0 {

std::string_view to_string(Tag tag) {
  switch (tag) {
    case Tag::parameters: return "parameters";
    case Tag::gradients: return "gradients";
    case Tag::optimizer: return "optimizer";
    case Tag::activations: return "activations";
    case Tag::scratch: return "scratch";
    case Tag::state: return "state";
    case Tag::data: return "data";
    case Tag::prepared: return "prepared";
  }
  return "unknown";
}

}  // namespace ffn::inline v0
