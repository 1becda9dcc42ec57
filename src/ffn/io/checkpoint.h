// The tensors of a checkpoint, found by the path that a user gives.
#pragma once

#include <memory>
#include <string>

#include "ffn/io/gguf.h"
#include "ffn/io/tensor_source.h"

namespace ffn::inline v0 {

// Opens a folder with model.safetensors or model.safetensors.index.json, a safetensors file, an
// index (*.json) or a GGUF file, told by its content. Errors: those of SafetensorsFile,
// SafetensorsShards and GgufFile; Error{io} for a folder with neither or both.
std::unique_ptr<TensorSource> open_checkpoint(const std::string& path);

// The source as a GGUF file, whose metadata also holds the configuration and the vocabulary;
// nullptr for another format.
const GgufFile* as_gguf(const TensorSource& source);

}  // namespace ffn::inline v0
