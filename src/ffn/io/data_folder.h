// Where data sets and models of a known name lie.
#pragma once

#include <string>
#include <vector>

namespace ffn::inline v0 {

// $FFN_DATA and $HOME/.local/share/ffn, those that are set, in this order: things are looked for in
// all of them and put into the first.
std::vector<std::string> data_folders();

}  // namespace ffn::inline v0
