// What a model must know of a data set before it is read.
#pragma once

#include <cstdint>
#include <string_view>

namespace ffn::inline v0 {

struct ImageGeometry {
  std::int64_t channels = 0, size = 0, classes = 0;  // square pictures
};

// Of a data set known by name without reading it (it need not be here); of a folder by reading it.
// pad_to: as in ImageDataOptions. Errors: as load_image_data; config when pictures are not square.
ImageGeometry image_geometry(std::string_view name_or_folder, std::int64_t pad_to = 0);

}  // namespace ffn::inline v0
