#include "ffn/autograd/activation_precision.h"

#include "ffn/base/error.h"

namespace ffn::inline v0 {

ActivationPrecision parse_activation_precision(std::string_view name) {
  if (name == "f32") return ActivationPrecision::f32;
  if (name == "int8") return ActivationPrecision::int8;
  check(name == "auto", ErrorKind::config, "activations", "'", name,
        "' is no precision of activations; expected f32, int8 or auto");
  return ActivationPrecision::automatic;
}

}  // namespace ffn::inline v0
