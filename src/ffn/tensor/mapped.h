// A mapped file as tensors' storage: weights are read where they lie, and pages can be given back.
#pragma once

#include <memory>

#include "ffn/io/mapped_file.h"
#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

// The whole file as one read-only storage; discard() gives pages back. Nothing may write to it.
StorageRef mapped_storage(std::shared_ptr<const MappedFile> file);

}  // namespace ffn::inline v0
