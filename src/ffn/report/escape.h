// Foreign text inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace ffn::inline v0 {

// Safe as text and inside quoted attributes: & < > " ' become entities; bytes that are not UTF-8
// and control characters other than tab and line feed become U+FFFD, which XML would refuse.
std::string escaped_xml(std::string_view text);

}  // namespace ffn::inline v0
