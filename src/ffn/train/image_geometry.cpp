#include "ffn/train/image_geometry.h"

#include "ffn/base/error.h"
#include "ffn/train/dataset.h"
#include "ffn/train/dataset_files.h"

namespace ffn::inline v0 {
namespace {

ImageGeometry published_geometry(DataSetKind kind) {
  switch (kind) {
    case DataSetKind::idx: return {1, 28, 10};
    case DataSetKind::cifar10: return {3, 32, 10};
    case DataSetKind::cifar100: return {3, 32, 100};
  }
  return {};
}

}  // namespace

ImageGeometry image_geometry(std::string_view name_or_folder, std::int64_t pad_to) {
  if (const KnownDataSet* known = find_known_data_set(name_or_folder)) {
    ImageGeometry geometry = published_geometry(known->kind);
    check(pad_to == 0 || pad_to >= geometry.size, ErrorKind::config, "data", "pad_to is ", pad_to,
          ", but the pictures are ", geometry.size, "x", geometry.size);
    if (pad_to > 0) geometry.size = pad_to;
    return geometry;
  }
  const ImageSet train = load_image_data(name_or_folder, {.pad_to = pad_to}).train;
  check(train.height == train.width, ErrorKind::config, name_or_folder, "holds pictures of ",
        train.height, " × ", train.width, " pixels; square ones are needed");
  return {train.channels, train.width, train.classes};
}

}  // namespace ffn::inline v0
