// Texts that a user gives line by line.
#pragma once

#include <string>
#include <vector>

namespace ffn::app {

// The lines of the file of text:PATH, without their ends. Errors: config where it is no text:PATH,
// io for a file without lines or with an empty one, naming it.
std::vector<std::string> lines_of_data(const std::string& data);
// Likewise of standard input.
std::vector<std::string> lines_of_standard_input();

}  // namespace ffn::app
