// The one way in which the library speaks. It never prints; whoever runs it installs a sink.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ffn::inline v0 {

enum class Severity { info, warning };

struct Event {
  Severity severity;
  std::string_view source;  // the room or operation that speaks
  std::string_view text;    // one line
};

using EventSink = std::function<void(const Event&)>;

// Installs a sink for the process and returns the previous one; an empty sink drops events. Set it
// before threads start: emit() only reads it.
EventSink set_event_sink(EventSink sink);
void emit(Severity severity, std::string_view source, std::string_view text);

}  // namespace ffn::inline v0
