#include "ffn/base/event_sink.h"

#include <utility>

namespace ffn::inline v0 {
namespace {

// Inside a function, so that a static initialiser elsewhere may emit before this file's own.
EventSink& installed_sink() {
  static EventSink sink;
  return sink;
}

}  // namespace

EventSink set_event_sink(EventSink sink) {
  return std::exchange(installed_sink(), std::move(sink));
}

void emit(Severity severity, std::string_view source, std::string_view text) {
  const EventSink& sink = installed_sink();
  if (sink) sink(Event{severity, source, text});
}

}  // namespace ffn::inline v0
