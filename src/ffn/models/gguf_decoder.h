// Decoders in GGUF files: configuration, names and weights from the file alone.
#pragma once

#include <string>

#include "ffn/io/gguf.h"
#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

// The configuration that the file's metadata and tensors describe: general.architecture "llama"
// (also SmolLM2, Mistral; without experts) and "gemma3". Its `names` are those of such files, so
// that the model's stored weights are the file's tensors. LLaMA's queries and keys are stored for
// pairs (2i, 2i + 1); Gemma's norms with 1 added. Errors: io naming the key, what stands there and
// what was expected; another architecture, experts, or stretched angles of another kind than
// "linear" by name.
DecoderConfig gguf_decoder_config(const GgufFile& file);

}  // namespace ffn::inline v0
