// Files from elsewhere, by programs that know the user's network: pip with its own configuration,
// and curl.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ffn::app {

// `python3 -m pip download --no-deps` of wheels into a folder, which is made; no code of them runs.
// Inside an InterruptScope. Errors: device where python3 or its pip is missing; io with pip's own
// reason; ExitCode when the user interrupts.
void download_packages(std::string_view name, std::span<const std::string_view> packages,
                       const std::string& folder);

bool is_url(std::string_view text);
// An http or https address into a folder, which is made, under its own last name → the file's path.
// Inside an InterruptScope. Errors: device where curl is missing; io with curl's reason.
std::string download_url(const std::string& url, const std::string& folder);

}  // namespace ffn::app
