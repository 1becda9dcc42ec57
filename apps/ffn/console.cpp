#include "console.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "ffn/base/event_sink.h"

namespace ffn::app {
namespace {

// Between two redraws of a terminal's line, and between two plain lines of a log.
constexpr double kRedraw_s = 0.1, kPlain_s = 10;

double now_s() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Arguments that a shell would take apart or expand, in single quotes.
std::string quoted(const std::string& argument) {
  const bool plain = !argument.empty() && std::ranges::all_of(argument, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./:=,+%@").find(c) != std::string_view::npos;
  });
  if (plain) return argument;
  std::string text = "'";
  for (const char c : argument) text.append(c == '\'' ? "'\\''" : std::string(1, c));
  return text + "'";
}

}  // namespace

void install_console() {
  // On a terminal a line of progress may be open: the event takes its place.
  const char* begin = errors_reach_a_terminal() ? "\r\033[K" : "";
  set_event_sink([begin](const Event& event) {
    std::fprintf(stderr, "%sffn: %s%.*s: %.*s\n", begin,
                 event.severity == Severity::warning ? "warning: " : "",
                 static_cast<int>(event.source.size()), event.source.data(),
                 static_cast<int>(event.text.size()), event.text.data());
  });
}

std::string clock_text(double seconds) {
  const auto total = static_cast<long long>(seconds + 0.5);
  std::array<char, 48> text{};
  if (total >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", total / 3600, total / 60 % 60,
                  total % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", total / 60, total % 60);
  }
  return text.data();
}

bool errors_reach_a_terminal() { return ::isatty(STDERR_FILENO) != 0; }

std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text = "ffn", argument;
  std::getline(file, argument, '\0');  // the program
  while (std::getline(file, argument, '\0')) text += " " + quoted(argument);
  return text;
}

void say(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void print_result(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_error(std::string_view text) {
  std::fprintf(stderr, "ffn: %.*s\n", static_cast<int>(text.size()), text.data());
}

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

Progress::Progress(std::string label)
    : label_(std::move(label)), terminal_(errors_reach_a_terminal()), started_s_(now_s()) {}

Progress::~Progress() { finish_line(); }

double Progress::elapsed_s() const { return now_s() - started_s_; }

std::string Progress::bar(double share) const {
  constexpr std::size_t kWidth = 24;
  const auto filled = std::min(kWidth, static_cast<std::size_t>(share * kWidth));
  return "[" + std::string(filled, '=') + std::string(kWidth - filled, ' ') + "]";
}

void Progress::update(std::int64_t done, std::int64_t total, std::string_view detail) {
  if (first_done_ < 0) first_done_ = std::max<std::int64_t>(0, done - 1);
  const bool last = done >= total;
  const double now = now_s();
  if (!last && now - printed_s_ < (terminal_ ? kRedraw_s : kPlain_s)) return;
  printed_s_ = now;
  const double rate = static_cast<double>(done - first_done_) / std::max(elapsed_s(), 1e-9);
  const double left_s = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  std::array<char, 160> numbers{};
  std::snprintf(numbers.data(), numbers.size(), "%lld/%lld  %.3g steps/s  ETA %s",
                static_cast<long long>(done), static_cast<long long>(total), rate,
                clock_text(left_s).c_str());
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const std::string line = label_ + " " + (terminal_ ? bar(share) + " " : "") + numbers.data() +
                           "  " + std::string(detail);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    open_line_ = true;
    if (last) finish_line();
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

void Progress::finish_line() {
  if (open_line_) std::fputc('\n', stderr);
  open_line_ = false;
}

}  // namespace ffn::app
