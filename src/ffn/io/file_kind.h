// Names what a file is when it is not what its reader expects.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

// What the first bytes say the file is, how large it is and what to do: "is a git-LFS pointer (133
// bytes) to a file of 988097824 bytes: …"; empty when they say nothing. Ask only after the expected
// format did not match: some signatures are also a possible beginning of a good file. `bytes` is
// the whole file; at most its first 1,024 bytes are read.
std::string describe_foreign_file(std::span<const std::byte> bytes);

// Text of an untrusted file for a message: in quotes, at most 80 bytes, control bytes as \xNN.
std::string in_quotes(std::string_view text);

}  // namespace ffn::inline v0
