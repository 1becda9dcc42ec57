#include "ffn/tensor/shape.h"

#include <ostream>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

Shape::Shape(std::initializer_list<std::int64_t> axes) {
  check(axes.size() <= kMaxRank, ErrorKind::shape, "shape", "at most ", kMaxRank,
        " axes are supported, got ", axes.size());
  std::int64_t product = 1;
  for (const std::int64_t axis : axes) {
    check(axis >= 0, ErrorKind::shape, "shape", "an axis of ", axis, " is negative");
    const bool fits =
        !__builtin_mul_overflow(product, axis, &product) && product <= (std::int64_t{1} << 62);
    check(fits, ErrorKind::shape, "shape", "more than 2^62 elements");
    axes_[rank_++] = axis;
  }
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

}  // namespace ffn::inline v0
