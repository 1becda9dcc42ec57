// Where the command speaks: results on stdout, everything else on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ffn::app {

// Library events become lines on stderr.
void install_console();
void print_result(std::string_view text);
// "ffn: text" on stderr.
void print_error(std::string_view text);
// A line on stderr.
void say(std::string_view text);
bool errors_reach_a_terminal();
// "1:05" or "2:03:04".
std::string clock_text(double seconds);
// This process's command as a user would type it, "ffn" for the program.
std::string command_line();
// Line breaks become spaces.
std::string one_line(std::string text);

// A line on stderr that is redrawn on a terminal (at most ten times a second) and printed now and
// then elsewhere.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // done of total steps, `since_start` of them in this process; rate and ETA come from the latter.
  void update(std::int64_t done, std::int64_t total, std::string_view detail);
  // Ends the redrawn line, so that other text can follow.
  void finish_line();

 private:
  std::string bar(double share) const;
  double elapsed_s() const;

  std::string label_;
  bool terminal_;
  bool open_line_ = false;
  double started_s_, printed_s_ = -1e9;
  std::int64_t first_done_ = -1;
};

}  // namespace ffn::app
