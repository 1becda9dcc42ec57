#include "ffn/io/data_folder.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace ffn::inline v0 {

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  const auto under = [&](const char* variable, std::string_view rest) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') return;
    folders.push_back((std::filesystem::path(value) / rest).string());
  };
  under("FFN_DATA", "");
  under("HOME", ".local/share/ffn");
  return folders;
}

}  // namespace ffn::inline v0
