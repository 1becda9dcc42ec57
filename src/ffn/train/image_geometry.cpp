#include "ffn/train/image_geometry.h"

#include "ffn/base/error.h"
#include "ffn/train/dataset.h"
#include "ffn/train/dataset_files.h"

namespace ffn::inline v0 {

ImageGeometry image_geometry(std::string_view name_or_folder) {
  if (const KnownDataSet* known = find_known_data_set(name_or_folder)) {
    switch (known->kind) {
      case DataSetKind::idx: return {1, 28, 10};
      case DataSetKind::cifar10: return {3, 32, 10};
      case DataSetKind::cifar100: return {3, 32, 100};
    }
  }
  const ImageSet train = load_image_data(name_or_folder).train;
  check(train.height == train.width, ErrorKind::config, name_or_folder, "holds pictures of ",
        train.height, " × ", train.width, " pixels; square ones are needed");
  return {train.channels, train.width, train.classes};
}

}  // namespace ffn::inline v0
