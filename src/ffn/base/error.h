// Errors a user can cause. Programmer errors are asserts (check.h), never exceptions.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ffn::inline v0 {

enum class ErrorKind { shape, dtype, config, io, device };

// "shape", "dtype", … as they appear in messages and in JSON output.
std::string_view to_string(ErrorKind kind);

// One error, one line: "[where] detail". `where` names the operation or the file; `detail` says
// what was found, what was expected and, where there is one, the cure.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string where, std::string detail)
      : std::runtime_error("[" + where + "] " + detail),
        kind_(kind),
        where_(std::move(where)),
        detail_(std::move(detail)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& where() const { return where_; }
  const std::string& detail() const { return detail_; }

 private:
  ErrorKind kind_;
  std::string where_;
  std::string detail_;
};

// Streams every part into one message and throws.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, std::string_view where, const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Error(kind, std::string(where), text.str());
}

// Throws Error when `ok` is false. The parts are only formatted on failure, so a check costs a
// branch.
template <class... Parts>
inline void check(bool ok, ErrorKind kind, std::string_view where, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(kind, where, parts...);
}

}  // namespace ffn::inline v0
