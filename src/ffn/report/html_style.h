// The style sheet of a page.
#pragma once

#include <string>

namespace ffn::inline v0 {

std::string html_css();

}  // namespace ffn::inline v0
