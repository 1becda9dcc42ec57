// The components of tokenizer.json between text and model. For sources of this folder only.
#pragma once

#include "ffn/io/tokenizer/json_document.h"
#include "ffn/io/tokenizer/normalizer.h"
#include "ffn/io/tokenizer/pipeline.h"
#include "ffn/io/tokenizer/pre_tokenizer.h"
#include "ffn/io/tokenizer/token_decoder.h"

namespace ffn::inline v0 {

// Errors: Error{io} naming the component for a type or key that this program does not know.
Normalizer read_normalizer(const JsonPart& part);
PreTokenizer read_pre_tokenizer(const JsonPart& part);
TokenDecoder read_decoder(const JsonPart& part);
// What a post-processor adds to a single text. Errors: also for a template that does not hold the
// text exactly once.
Surroundings read_post_processor(const JsonPart& part);

}  // namespace ffn::inline v0
